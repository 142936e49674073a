/**
 * Internet addresses: one immutable value for both families, and their text forms.
 *
 * An address is four 32-bit words, so that it is compared and hashed without touching bytes. An IPv4 address lies in the
 * last word and has the first three of its v4-mapped form (RFC 4291 §2.5.5.2), hence `::ffff:10.0.0.1` and `10.0.0.1`
 * differ only in `family`.
 */

/** The family of an address. */
export type IpFamily = 4 | 6;

/** The third word of a v4-mapped address. */
const MAPPED_WORD = 0xffff;

export class IpAddress {
  readonly family: IpFamily;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  /** The last word; the whole of an IPv4 address. */
  readonly w3: number;
  /** The zone of a scoped IPv6 address (an interface index), else 0: RFC 4007. */
  readonly zone: number;

  constructor(family: IpFamily, w0: number, w1: number, w2: number, w3: number, zone = 0) {
    this.family = family;
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
    this.zone = zone;
  }

  /** 0.0.0.0 */
  static readonly anyV4 = new IpAddress(4, 0, 0, MAPPED_WORD, 0);
  /** 127.0.0.1 */
  static readonly loopbackV4 = new IpAddress(4, 0, 0, MAPPED_WORD, 0x7f000001);
  /** 255.255.255.255 */
  static readonly broadcastV4 = new IpAddress(4, 0, 0, MAPPED_WORD, -1);
  /** :: */
  static readonly anyV6 = new IpAddress(6, 0, 0, 0, 0);
  /** ::1 */
  static readonly loopbackV6 = new IpAddress(6, 0, 0, 0, 1);

  /** The IPv4 address whose 32 bits are `word`. */
  static v4(word: number): IpAddress {
    return new IpAddress(4, 0, 0, MAPPED_WORD, word | 0);
  }

  /**
   * Reads dotted-decimal IPv4 (four numbers, no leading zeros) or IPv6 (RFC 4291 §2.2, with an optional `%zone` number).
   * @returns `null` when `text` is neither. The historical forms that Winsock's `inet_addr` takes are not read here.
   */
  static parse(text: string): IpAddress | null {
    return text.includes(':') ? parseV6(text) : parseV4(text);
  }

  get isAny(): boolean {
    return this.w3 === 0 && this.w0 === 0 && this.w1 === 0 && (this.family === 4 || this.w2 === 0);
  }

  /** 127/8 or ::1. */
  get isLoopback(): boolean {
    if (this.family === 4) return this.w3 >>> 24 === 127;
    return this.w0 === 0 && this.w1 === 0 && this.w2 === 0 && this.w3 === 1;
  }

  /** 224/4 or ff00::/8. */
  get isMulticast(): boolean {
    return this.family === 4 ? this.w3 >>> 28 === 0xe : this.w0 >>> 24 === 0xff;
  }

  /** 255.255.255.255; a subnet's broadcast address depends on the interface. */
  get isLimitedBroadcast(): boolean {
    return this.family === 4 && this.w3 === -1;
  }

  /**
   * Whether one host can have it (RFC 1122 §3.2.1.3): not "any", no group, none of 0/8 or 240/4, no v4-mapped one. What a subnet's
   * broadcast address is depends on the interface.
   */
  get isHost(): boolean {
    if (this.family === 6) return !this.isAny && !this.isMulticast && !this.isV4Mapped;
    const first = this.w3 >>> 24;
    return first !== 0 && first < 224;
  }

  /** fe80::/10 or 169.254/16. */
  get isLinkLocal(): boolean {
    return this.family === 4 ? this.w3 >>> 16 === 0xa9fe : isLinkLocalWord(this.w0);
  }

  /** An IPv6 address that means different hosts on different links, and so has a zone: see `isScopedWord`. */
  get isScoped(): boolean {
    return this.family === 6 && isScopedWord(this.w0);
  }

  /** ::ffff:0:0/96 in IPv6: stands for an IPv4 address (RFC 4291 §2.5.5.2). */
  get isV4Mapped(): boolean {
    return this.family === 6 && this.w0 === 0 && this.w1 === 0 && this.w2 === MAPPED_WORD;
  }

  /** The IPv4 address that a v4-mapped one stands for; any other as it is. */
  unmapped(): IpAddress {
    return this.isV4Mapped ? IpAddress.v4(this.w3) : this;
  }

  /** An IPv4 address as a v4-mapped one; any other as it is. */
  mapped(): IpAddress {
    return this.family === 6 ? this : new IpAddress(6, 0, 0, MAPPED_WORD, this.w3);
  }

  /** The same address in `zone`, if it is one that has zones. */
  inZone(zone: number): IpAddress {
    if (this.zone === zone || !this.isScoped) return this;
    return new IpAddress(6, this.w0, this.w1, this.w2, this.w3, zone);
  }

  equals(other: IpAddress): boolean {
    return (
      this.w3 === other.w3 &&
      this.family === other.family &&
      this.w0 === other.w0 &&
      this.w1 === other.w1 &&
      this.w2 === other.w2 &&
      this.zone === other.zone
    );
  }

  toString(): string {
    if (this.family === 4) return formatV4(this.w3);
    const zone = this.zone === 0 ? '' : `%${this.zone}`;
    return formatV6(this) + zone;
  }
}

/** Whether the IPv6 address that begins with `word` is of fe80::/10 (RFC 4291 §2.5.6). */
export function isLinkLocalWord(word: number): boolean {
  return word >>> 22 === 0x3fa;
}

/**
 * Whether an IPv6 address that starts with `word` has a zone (RFC 4007 §5): link-local unicast, and multicast of
 * interface-local and link-local scope.
 */
export function isScopedWord(word: number): boolean {
  if (word >>> 22 === 0x3fa) return true;
  const scope = (word >>> 16) & 0xf;
  return word >>> 24 === 0xff && scope >= 1 && scope <= 2;
}

/** Dotted decimal of an IPv4 address in its 32 bits. */
export function formatV4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
}

/** The mask with `length` leading ones, 0 … 32. */
export function prefixMask(length: number): number {
  return length === 0 ? 0 : -1 << (32 - length);
}

/** An address and how much of it names the network: `10.0.0.1/24`. */
export interface Prefix {
  readonly address: IpAddress;
  readonly length: number;
}

/** Reads `address/length`; without a length the whole address. @returns `null` when `text` is no prefix. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/');
  const address = IpAddress.parse(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const bits = address.family === 4 ? 32 : 128;
  if (slash < 0) return { address, length: bits };
  const lengthText = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(lengthText)) return null;
  const length = Number(lengthText);
  return length <= bits ? { address, length } : null;
}

/** `aa:bb:cc:dd:ee:ff` of the six bytes at `at`. */
export function formatMac(bytes: Uint8Array, at = 0): string {
  let text = '';
  for (let i = 0; i < 6; i++) {
    text += (i === 0 ? '' : ':') + (bytes[at + i] as number).toString(16).padStart(2, '0');
  }
  return text;
}

/** Six bytes from `aa:bb:cc:dd:ee:ff` or with hyphens. @returns `null` when `text` is no such address. */
export function parseMac(text: string): Uint8Array | null {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) return null;
  return Uint8Array.from(text.split(/[:-]/), (digits) => Number.parseInt(digits, 16));
}

function parseV4Word(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  let word = 0;
  for (const part of match.slice(1)) {
    // A leading zero means octal to some readers: refused, RFC 6943 §3.1.1.
    if (Number(part) > 255 || (part.length > 1 && part[0] === '0')) return null;
    word = (word << 8) | Number(part);
  }
  return word;
}

function parseV4(text: string): IpAddress | null {
  const word = parseV4Word(text);
  return word === null ? null : IpAddress.v4(word);
}

function parseV6(text: string): IpAddress | null {
  const [body = '', zoneText, ...rest] = text.split('%');
  if (rest.length > 0 || (zoneText !== undefined && !/^\d{1,9}$/.test(zoneText))) return null;
  const halves = body.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] as string, true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const word = (i: number): number => ((groups[2 * i] as number) << 16) | (groups[2 * i + 1] as number);
  return new IpAddress(6, word(0), word(1), word(2), word(3), zoneText === undefined ? 0 : Number(zoneText));
}

/** The 16-bit groups of one side of `::`; the last may be dotted decimal when `isLast`. */
function parseGroups(text: string, isLast: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const word = isLast && i === parts.length - 1 ? parseV4Word(part) : null;
      if (word === null) return null;
      groups.push(word >>> 16, word & 0xffff);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups;
}

/** RFC 5952: lower case, no leading zeros, the longest run of at least two zero groups as `::`. */
function formatV6(a: IpAddress): string {
  if (a.w0 === 0 && a.w1 === 0 && a.w2 === MAPPED_WORD) return `::ffff:${formatV4(a.w3)}`;
  const groups = [a.w0, a.w1, a.w2, a.w3].flatMap((word) => [word >>> 16, word & 0xffff]);
  let bestAt = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) {
      bestAt = i;
      bestLength = length;
    }
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (bestAt < 0) return hex(groups);
  return `${hex(groups.slice(0, bestAt))}::${hex(groups.slice(bestAt + bestLength))}`;
}
