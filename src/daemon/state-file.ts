/**
 * What the daemon keeps from one start to the next, in `state.json` of its state directory: the host's identity (RFC 7217 addresses and
 * DUIDs are made of it), the hardware addresses of its links, and the leases of its DHCP clients.
 *
 * The file is hostile until it is checked: it must be a plain file of ours or root's that nobody else may write, of bounded size, in which
 * every value is in range; what a server granted is kept as the message that it sent, and read as carefully as one from the
 * network. It is replaced as a whole: a new file is written, flushed and renamed, so that an end at any moment leaves the old or the new.
 */

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { fromHex, IpAddress, type IpFamily, type Random, toHex } from '../base/index.ts';
import { deviceName } from './schemas.ts';

const FILE = 'state.json';
const IDENTITY_BYTES = 32;
const MOST_LINKS = 64;
/** Of a message: what fits a UDP datagram on any link that is used for DHCP. */
const MOST_MESSAGE_BYTES = 4096;
const MOST_FILE_BYTES = 1 << 20;
const WRITABLE_BY_OTHERS = 0o022;

const hex = (bytes: number): z.ZodString => z.string().regex(new RegExp(`^([0-9a-f]{2}){${bytes}}$`));
const lease = z.strictObject({
  /** The DHCPACK or REPLY. */
  message: z
    .string()
    .max(2 * MOST_MESSAGE_BYTES)
    .regex(/^([0-9a-f]{2})+$/),
  server: z.string().refine((text) => IpAddress.parse(text) !== null),
  /** ms since 1970, from which lifetimes count. */
  obtained: z.number().int().min(0).max(8.64e15),
});
const link = z.strictObject({
  mac: hex(6)
    .refine((text) => (Number.parseInt(text.slice(0, 2), 16) & 1) === 0 && !/^0+$/.test(text))
    .optional(),
  dhcp4: lease.optional(),
  dhcp6: lease.optional(),
});
const schema = z.strictObject({
  version: z.literal(1),
  identity: hex(IDENTITY_BYTES),
  links: z.record(deviceName, link).refine((links) => Object.keys(links).length <= MOST_LINKS),
});

type State = z.output<typeof schema>;
type LinkState = z.output<typeof link>;

/** A lease as it was granted. */
export interface KeptLease {
  readonly message: Uint8Array;
  readonly server: IpAddress;
  /** ms since 1970. */
  readonly obtained: number;
}

export interface StateFileOptions {
  /** `undefined`: nothing is kept. */
  readonly directory: string | undefined;
  /** Who the daemon is going to be; the file may be that user's. */
  readonly user?: number | undefined;
  readonly random: Random;
  readonly warn: (text: string) => void;
}

export class StateFile {
  /** Stays with the host, where there is a directory to keep it in. */
  readonly identity: Uint8Array;
  readonly #path: string | null;
  readonly #warn: (text: string) => void;
  readonly #state: State;
  #lastWarning = '';

  /** Reads what is there; what can't be trusted is told, and begins anew. */
  constructor({ directory, user, random, warn }: StateFileOptions) {
    this.#path = directory === undefined ? null : join(directory, FILE);
    this.#warn = warn;
    const owners = [0, process.geteuid?.() ?? 0, ...(user === undefined ? [] : [user])];
    this.#state = (this.#path === null ? null : this.#read(this.#path, owners)) ?? fresh(random);
    this.identity = fromHex(this.#state.identity);
  }

  /** The hardware address that a link had; `null` when none is known. */
  macOf(name: string): Uint8Array | null {
    const mac = this.#linkOf(name)?.mac;
    return mac === undefined ? null : fromHex(mac);
  }

  setMac(name: string, mac: Uint8Array): void {
    this.#set(name, { ...this.#linkOf(name), mac: toHex(mac) });
  }

  leaseOf(name: string, family: IpFamily): KeptLease | null {
    const held = this.#linkOf(name)?.[family === 4 ? 'dhcp4' : 'dhcp6'];
    const server = held === undefined ? null : IpAddress.parse(held.server);
    if (held === undefined || server === null) return null;
    return { message: fromHex(held.message), server, obtained: held.obtained };
  }

  /** @param kept `null`: there is none any more */
  setLease(name: string, family: IpFamily, kept: KeptLease | null): void {
    const { [family === 4 ? 'dhcp4' : 'dhcp6']: _before, ...others } = this.#linkOf(name) ?? {};
    if (kept === null || kept.message.length > MOST_MESSAGE_BYTES) {
      this.#set(name, others);
      return;
    }
    const text = {
      message: toHex(kept.message),
      server: `${kept.server}`,
      obtained: Math.round(kept.obtained),
    };
    this.#set(name, { ...others, [family === 4 ? 'dhcp4' : 'dhcp6']: text });
  }

  /** Writes it. A failure is told, once, and costs nothing but what was to be kept. */
  save(): void {
    const path = this.#path;
    if (path === null) return;
    try {
      replaceFile(path, `${JSON.stringify(this.#state)}\n`);
      this.#lastWarning = '';
    } catch (error) {
      const text = `what is to be kept can not be written: ${(error as Error).message}`;
      if (text !== this.#lastWarning) this.#warn(text);
      this.#lastWarning = text;
    }
  }

  /** Own members only: a link may be called `constructor`. */
  #linkOf(name: string): LinkState | undefined {
    return Object.hasOwn(this.#state.links, name) ? this.#state.links[name] : undefined;
  }

  #set(name: string, next: LinkState): void {
    const { links } = this.#state;
    const isNew = !Object.hasOwn(links, name);
    if (isNew && Object.keys(links).length >= MOST_LINKS) return;
    Object.defineProperty(links, name, { value: next, enumerable: true, configurable: true, writable: true });
  }

  /** @returns `null` when there is no file, or none that can be trusted */
  #read(path: string, owners: readonly number[]): State | null {
    let text: string | null;
    try {
      text = readPlainFile(path, owners);
    } catch (error) {
      this.#warn(`${path} is left unread: ${(error as Error).message}`);
      return null;
    }
    if (text === null) return null;
    try {
      const state = schema.safeParse(JSON.parse(text));
      if (state.success) return state.data;
      const [issue] = state.error.issues;
      this.#warn(
        `${path} is no state of this daemon (${issue?.path.join('.')}: ${issue?.message}): it begins anew`,
      );
    } catch {
      this.#warn(`${path} is no JSON: it begins anew`);
    }
    return null;
  }
}

function fresh(random: Random): State {
  const identity = Uint8Array.from({ length: IDENTITY_BYTES }, () => random.next() & 0xff);
  return { version: 1, identity: toHex(identity), links: {} };
}

/** @returns `null` when there is none. @throws {Error} when it is no plain file that only we and root may write, or is too large */
function readPlainFile(path: string, owners: readonly number[]): string | null {
  let fd: number;
  try {
    // No link is followed, and no pipe is waited for.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { uid, mode, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new Error('it is no plain file');
    if (!owners.includes(uid)) throw new Error('it is somebody else’s');
    if ((mode & WRITABLE_BY_OTHERS) !== 0) throw new Error('others may write it');
    if (size > MOST_FILE_BYTES) throw new Error(`it has ${size} bytes`);
    const bytes = Buffer.alloc(size);
    const length = readSync(fd, bytes, 0, size, 0);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}

function replaceFile(path: string, text: string): void {
  const next = `${path}.new`;
  // Of a write that was broken off.
  rmSync(next, { force: true });
  const fd = openSync(next, 'wx', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(next, path);
  const directory = openSync(join(path, '..'), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
