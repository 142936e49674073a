/**
 * Names of hosts and domains: what may be one, when two are the same, how they meet the wire and the user.
 *
 * Inside the room a name is ASCII (A-labels, RFC 5890) or, in mDNS, UTF-8, without a trailing dot; the root is `''`. A dot that is
 * part of a label is `\.` (RFC 6763 §4.3): `Dr\. Smith._ipp._tcp.local`. There are no other backslashes.
 */

import { domainToASCII, domainToUnicode } from 'node:url';
import { IpAddress } from '../base/index.ts';

/** RFC 1035 §2.3.4: bytes of a label, and of a name as text (255 on the wire with its length bytes). */
export const MAX_LABEL = 63;
export const MAX_NAME = 253;

/** The form in which names are compared: only A to Z have another case (RFC 4343). */
export function foldName(name: string): string {
  // Not toLowerCase(): that would make the Kelvin sign a k.
  return /[A-Z]/.test(name) ? name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : name;
}

export function sameName(a: string, b: string): boolean {
  return a === b || foldName(a) === foldName(b);
}

/** Whether `name` is `domain` or below it. */
export function isWithin(name: string, domain: string): boolean {
  if (domain === '') return true;
  const inner = foldName(name);
  const outer = foldName(domain);
  return inner === outer || (inner.endsWith(`.${outer}`) && inner.at(-outer.length - 2) !== '\\');
}

/** Whether labels and name have lengths that the wire can carry. */
export function fitsWire(name: string): boolean {
  if (name === '') return true;
  const labels = labelsOf(name);
  if (utf8Length(labels.join('.')) > MAX_NAME) return false;
  return labels.every((label) => label !== '' && utf8Length(label) <= MAX_LABEL);
}

/** The labels of a name, their own dots bare. */
export function labelsOf(name: string): string[] {
  return name.split(/(?<!\\)\./).map((label) => label.replaceAll('\\.', '.'));
}

/** A label as a part of a name. */
export function escapeLabel(label: string): string {
  return label.replaceAll('.', '\\.');
}

/** A name that was typed: `name` without its trailing dot, and whether it had one. */
export interface TypedName {
  readonly name: string;
  /** A trailing dot: nothing is appended. */
  readonly isAbsolute: boolean;
}

/**
 * Reads a name as a user or an application gives it: IDNA to A-labels (UTS 46, as browsers do), lengths and characters checked.
 * @param allowsUtf8 names under `.local` keep their letters (RFC 6762 §16)
 * @returns `null` when it can't be a name
 */
export function readTypedName(text: string, allowsUtf8 = false): TypedName | null {
  const isAbsolute = /(?<!\\)[.\u3002\uff0e\uff61]$/.test(text);
  const bare = isAbsolute ? text.slice(0, -1) : text;
  if (bare === '') return isAbsolute ? { name: '', isAbsolute } : null;
  const isAscii = /^[\x21-\x7e]+$/.test(bare);
  let name: string | null = bare;
  if (!isAscii) name = allowsUtf8 && isWithin(bare, 'local') ? bare.normalize('NFC') : mapToAscii(bare);
  if (name === null || !fitsWire(name) || /[\\\p{Cc}]/u.test(name.replaceAll('\\.', ''))) return null;
  // The last label of a name is never a number (RFC 1123 §2.1): what looks like an address and is none isn't asked for.
  if (/(^|\.)(\d+|0x[0-9a-f]*)$/i.test(name)) return null;
  return name.split('.').every(isWellFormedLabel) ? { name, isAbsolute } : null;
}

/** Whether a name that the network gave is one of a host: letters, digits, hyphens, and the underscore that Windows takes. */
export function isHostName(name: string): boolean {
  return name !== '' && fitsWire(name) && name.split('.').every((label) => HOST_LABEL.test(label));
}

/** The form for people, with U-labels; as it is when that can't be. */
export function displayName(name: string): string {
  if (!/(^|\.)xn--/i.test(name)) return name;
  return domainToUnicode(name) || name;
}

/** The name under which the reverse of an address is found (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(address: IpAddress): string {
  if (address.family === 4) {
    const word = address.w3;
    return `${word & 255}.${(word >>> 8) & 255}.${(word >>> 16) & 255}.${word >>> 24}.in-addr.arpa`;
  }
  const nibbles: string[] = [];
  for (const word of [address.w3, address.w2, address.w1, address.w0]) {
    for (let shift = 0; shift < 32; shift += 4) nibbles.push(((word >>> shift) & 15).toString(16));
  }
  return `${nibbles.join('.')}.ip6.arpa`;
}

/** The address whose reverse `name` is, or `null`. */
export function addressOfReverse(name: string): IpAddress | null {
  const folded = foldName(name);
  if (folded.endsWith('.in-addr.arpa')) {
    return IpAddress.parse(folded.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.'));
  }
  if (!/^([0-9a-f]\.){32}ip6\.arpa$/.test(folded)) return null;
  const digits = folded.slice(0, 63).split('.').reverse().join('');
  return IpAddress.parse((digits.match(/.{4}/g) ?? []).join(':'));
}

/** `localhost` and what is below it: never asked for outside (RFC 6761 §6.3). */
export function isLocalhost(name: string): boolean {
  return isWithin(name, 'localhost');
}

/** Names that exist nowhere: `invalid` (RFC 6761 §6.4) and `onion` (RFC 7686). */
export function isNeverThere(name: string): boolean {
  return isWithin(name, 'invalid') || isWithin(name, 'onion');
}

function mapToAscii(text: string): string | null {
  const ascii = domainToASCII(text);
  // What isn't ASCII may map to digits, which would be an address by another spelling.
  if (ascii === '' || IpAddress.parse(ascii) !== null) return null;
  return ascii;
}

/** Characters that a label may have, and for an A-label that it is what its U-label maps to. */
function isWellFormedLabel(label: string): boolean {
  if (!/^xn--/i.test(label)) return true;
  const unicode = domainToUnicode(label);
  return unicode !== '' && domainToASCII(unicode) === foldName(label);
}

function utf8Length(text: string): number {
  return Buffer.byteLength(text);
}

const HOST_LABEL = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i;
