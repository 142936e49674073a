/**
 * The hosts file: names of hosts before there was DNS (RFC 952, 4.3BSD's hosts(5)), and still what comes first.
 *
 *     # comment
 *     10.0.0.7   printer.example.com  printer     # the first name is the canonical one
 *     fe80::1%2  router
 *
 * A line that can't be read is counted and skipped, whatever is wrong with it. A name that the file knows is answered by the
 * file alone, also when it has no address of the family that is asked for.
 */

import { readFileSync, statSync } from 'node:fs';
import { type Clock, IpAddress, type IpFamily } from '../base/index.ts';
import { foldName, readTypedName } from './name.ts';

/** Bounds of what is read: the largest blocklists fit. */
const MAX_BYTES = 32 << 20;
const MAX_ENTRIES = 2_000_000;
/** How long a look at the file's time of change is believed. */
const LOOK_AGAIN_MS = 1000;

export interface HostEntry {
  /** As first written. */
  readonly canonicalName: string;
  readonly addresses: IpAddress[];
}

/** The file's content. */
export class HostTable {
  /** Lines that said something that could not be read. */
  readonly badLines: number;
  readonly #byName: ReadonlyMap<string, HostEntry>;
  readonly #byAddress: ReadonlyMap<string, string[]>;

  private constructor(byName: Map<string, HostEntry>, byAddress: Map<string, string[]>, badLines: number) {
    this.#byName = byName;
    this.#byAddress = byAddress;
    this.badLines = badLines;
  }

  static readonly empty = new HostTable(new Map(), new Map(), 0);

  /** Reads the text of a hosts file. Never throws. */
  static parse(text: string): HostTable {
    const byName = new Map<string, HostEntry>();
    const byAddress = new Map<string, string[]>();
    let badLines = 0;
    let entries = 0;
    for (const line of text.split(/\r\n|[\r\n]/)) {
      const [addressText, ...names] = line
        .replace(/#.*/s, '')
        .split(/[\s\0]+/)
        .filter((word) => word !== '');
      if (addressText === undefined) continue;
      const address = IpAddress.parse(addressText);
      const typed = names.map((name) => readTypedName(name)?.name ?? '');
      if (address === null || typed.length === 0 || typed.includes('') || ++entries > MAX_ENTRIES) {
        badLines++;
        continue;
      }
      for (const name of typed) addTo(byName, name, typed[0] as string, address);
      const known = byAddress.get(keyOf(address));
      if (known === undefined) byAddress.set(keyOf(address), typed);
      else known.push(...typed);
    }
    return new HostTable(byName, byAddress, badLines);
  }

  get size(): number {
    return this.#byName.size;
  }

  /** What the file says of a name, or `null` when it doesn't know it. */
  find(name: string): HostEntry | null {
    return this.#byName.get(foldName(name)) ?? null;
  }

  /** The names of an address, the canonical one first; none when the file doesn't know it. */
  namesOf(address: IpAddress): readonly string[] {
    return this.#byAddress.get(keyOf(address)) ?? [];
  }
}

/** A hosts file that is read again when it has changed. A file that is not there is empty. */
export class HostsFile {
  readonly path: string;
  readonly #clock: Clock;
  #table: HostTable = HostTable.empty;
  #stamp = '';
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(path: string, clock: Clock) {
    this.path = path;
    this.#clock = clock;
  }

  get table(): HostTable {
    const now = this.#clock.now();
    if (now - this.#lookedAt < LOOK_AGAIN_MS) return this.#table;
    this.#lookedAt = now;
    const stamp = this.#stampNow();
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      this.#table = stamp === '' ? HostTable.empty : this.#read();
    }
    return this.#table;
  }

  /** What changes when the file does; empty when there is none that may be read. */
  #stampNow(): string {
    try {
      const { mtimeMs, size, ino, dev } = statSync(this.path);
      return size > MAX_BYTES ? '' : `${dev}:${ino}:${size}:${mtimeMs}`;
    } catch {
      return '';
    }
  }

  #read(): HostTable {
    try {
      return HostTable.parse(readFileSync(this.path, 'utf8'));
    } catch {
      return HostTable.empty;
    }
  }
}

/** The addresses of one family, or of both for 0. */
export function addressesIn(addresses: readonly IpAddress[], family: IpFamily | 0): IpAddress[] {
  return addresses.filter((address) => family === 0 || address.family === family);
}

function addTo(
  byName: Map<string, HostEntry>,
  name: string,
  canonicalName: string,
  address: IpAddress,
): void {
  const entry = byName.get(foldName(name));
  if (entry === undefined) byName.set(foldName(name), { canonicalName, addresses: [address] });
  else if (!entry.addresses.some((other) => other.equals(address))) entry.addresses.push(address);
}

function keyOf(address: IpAddress): string {
  return `${address.family} ${address.toString()}`;
}
