/**
 * An open TUN or TAP device: frames in and out in batches, and the interface behind it.
 */

import {
  type FrameBatch,
  type IpAddress,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  type Prefix,
  type TransmitBatch,
} from '../base/index.ts';
import type { NativeAddon, NativeDescription, NativeDevice } from './addon.ts';
import { addressFromBytes, bytesFromAddress } from './address-bytes.ts';
import { DeviceError, deviceError, explain, explained, type FailureContext } from './errors.ts';
import { deviceHolder } from './holder.ts';
import { loadNative } from './load.ts';

/** Every offload that a device may have. */
export const OFFLOAD_ALL = OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_USO;

/** Bits of what {@link Device.watch} waits for. */
export const READABLE = 1;
export const WRITABLE = 2;

/** Longest interface name of Linux (IFNAMSIZ less its end mark). */
const NAME_MAX = 15;

/** `tun` carries IP packets, `tap` Ethernet frames. */
export type DeviceKind = 'tun' | 'tap';

export interface DeviceOptions {
  /**
   * The interface's name, or a pattern with one `%d` that the kernel numbers. An interface of that name that exists
   * (made persistent before) is attached to. Default `tun%d` or `tap%d`.
   */
  readonly name?: string;
  /** A network namespace: its name under /run/netns, or an absolute path such as /proc/1/ns/net. Default: our own. */
  readonly namespace?: string;
  /**
   * `OFFLOAD_*` bits to ask for, default all. What the kernel grants is in {@link Device.offload}. 0 opens the device
   * plain, without a header in front of each frame.
   */
  readonly offload?: number;
  /** Whether the interface outlives the process. Default: as it is, for a new one no. */
  readonly persist?: boolean;
}

/** A route through the device. */
export interface DeviceRoute {
  readonly destination: Prefix;
  /** The next hop; without one, the destination is on the link. */
  readonly gateway?: IpAddress;
  /** Default: the kernel's (0 for IPv4, 1024 for IPv6). */
  readonly metric?: number;
}

/**
 * One descriptor of a TUN or TAP device. All of it is synchronous and none of it blocks: frames come and go in batches
 * whenever {@link watch} says that they can.
 *
 * Settings act in the namespace where the device lives. They need CAP_NET_ADMIN; frames need nothing.
 * Every method but `close` throws a {@link DeviceError}: `EBADF` after `close`.
 */
export class Device {
  readonly kind: DeviceKind;
  /**
   * `OFFLOAD_*` bits that the kernel granted: what may arrive. Any may be sent: what the kernel does not take is cut, or summed up,
   * by the addon.
   */
  readonly offload: number;
  readonly #addon: NativeAddon;
  readonly #native: NativeDevice;
  #lastName: string;
  #lastDropped = 0;
  #isClosed = false;

  private constructor(addon: NativeAddon, native: NativeDevice) {
    const description = addon.describe(native);
    this.#addon = addon;
    this.#native = native;
    this.kind = description.isTap ? 'tap' : 'tun';
    this.offload = description.offload;
    this.#lastName = description.name;
  }

  /**
   * Creates a device, or attaches to one that exists. It is down, unless it was up before.
   * @throws {DeviceError} `EPERM` not allowed, `ENOENT` no /dev/net/tun or no such namespace, `EBUSY` in use, `EINVAL`
   * no such name, `ENOSYS` no Linux or no addon.
   */
  static open(kind: DeviceKind, options: DeviceOptions = {}): Device {
    const name = options.name ?? `${kind}%d`;
    const context = openContext(kind, name, options.namespace);
    checkName(name, context);
    const path = namespacePath(options.namespace, context);
    const addon = loadNative();
    const native = explain(
      () => withHolder(context),
      () => addon.open(kind === 'tap', name, path, options.offload ?? OFFLOAD_ALL),
    );
    const device = new Device(addon, native);
    if (options.persist !== undefined) {
      try {
        device.isPersist = options.persist;
      } catch (error) {
        device.close();
        throw error;
      }
    }
    return device;
  }

  /**
   * Takes over a descriptor that another process or an earlier stage opened and attached (`--tun-fd`). Needs no
   * privilege. From success on the descriptor belongs to the device.
   *
   * What is behind the device can be asked for only when its namespace is ours, or we may enter it: else `mtu` and the
   * other settings are `ENODEV`, and frames flow all the same.
   * @throws {DeviceError} `EBADF`, `ENOTTY` no such descriptor, `EPROTO` opened without IFF_NO_PI.
   */
  static adopt(fd: number, options: Pick<DeviceOptions, 'offload'> = {}): Device {
    const addon = loadNative();
    const context = { action: `take over descriptor ${fd} as a TUN or TAP device` };
    return new Device(
      addon,
      explain(context, () => addon.adopt(fd, options.offload ?? OFFLOAD_ALL)),
    );
  }

  /** The interface's name now. The last one known, once closed. */
  get name(): string {
    if (!this.#isClosed) this.#lastName = this.#describe().name;
    return this.#lastName;
  }

  /** The descriptor's number, to be handed to a child process. Owned by the device. */
  get fd(): number {
    return this.#describe().fd;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Frames that the device refused, down as it was or wrong as they were. */
  get dropped(): number {
    if (!this.#isClosed) this.#lastDropped = this.#describe().dropped;
    return this.#lastDropped;
  }

  /**
   * Reads frames into `batch` until none is left, the table is full, or less than a frame's room is left in the arena.
   * Offsets are such that the IP header is 4-aligned. Never blocks, never allocates.
   * @returns `batch.count`, 0 when there is nothing.
   * @throws {DeviceError} `EBADFD` when the interface is gone; {RangeError} when not even one frame has room (65,602 bytes).
   */
  readBatch(batch: FrameBatch): number {
    try {
      batch.count = this.#addon.readBatch(this.#native, batch.bytes, batch.table);
    } catch (error) {
      throw explained(error, this.#context('read from'));
    }
    return batch.count;
  }

  /**
   * Writes frames `first` … `batch.count - 1`, each gathered from its header and payload ranges by one system call.
   * A frame that the device refuses (it is down, say) is dropped and counted in {@link dropped}.
   * @returns how many are done with; fewer than asked for when the device has no room: watch for {@link WRITABLE}.
   * @throws {DeviceError} `EBADFD` when the interface is gone; {RangeError} when a row points outside of its arrays or
   * asks for an offload that the device lacks.
   */
  writeBatch(batch: TransmitBatch, first = 0): number {
    const { headers, table, payloads, count } = batch;
    try {
      return this.#addon.writeBatch(this.#native, headers, table, payloads, first, count);
    } catch (error) {
      throw explained(error, this.#context('write to'));
    }
  }

  /**
   * Calls `ready` from the event loop whenever the device is in a state of `interest` (a sum of {@link READABLE} and
   * {@link WRITABLE}), again each turn as long as it is. The first call's `ready` stays until `interest` is 0. Keeps
   * the process alive meanwhile. What `ready` throws is an uncaught exception.
   *
   * @param ready gets the state, or 0 when the interface is gone: the next read says why.
   */
  watch(interest: number, ready: (events: number) => void): void {
    explain(
      () => this.#context('watch'),
      () => this.#addon.watch(this.#native, interest, (status, events) => ready(status === 0 ? events : 0)),
    );
  }

  /** Ends watching. */
  unwatch(): void {
    if (!this.#isClosed) this.#addon.watch(this.#native, 0, ignore);
  }

  /** Gives the descriptor back; the interface goes with it unless it is persistent. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    const { name, dropped } = this.#describe();
    this.#lastName = name;
    this.#lastDropped = dropped;
    this.#isClosed = true;
    this.#addon.close(this.#native);
  }

  /** Whether the interface outlives its last descriptor. */
  get isPersist(): boolean {
    return this.#describe().isPersist;
  }

  set isPersist(isPersist: boolean) {
    explain(
      () => this.#context(isPersist ? 'keep' : 'let go of'),
      () => this.#addon.setPersist(this.#native, isPersist),
    );
  }

  /** Largest IP packet, bytes: 68 … 65,535 (TAP: 65,521). */
  get mtu(): number {
    return this.#interface().mtu;
  }

  set mtu(mtu: number) {
    this.#set(`set the MTU ${mtu} on`, null, mtu, null, null);
  }

  /** How many packets the kernel queues for us before it drops. 500 by default. */
  get queueLength(): number {
    return this.#interface().queueLength;
  }

  set queueLength(length: number) {
    this.#set('set the queue length of', null, null, length, null);
  }

  get isUp(): boolean {
    return this.#interface().isUp;
  }

  set isUp(isUp: boolean) {
    this.#set(isUp ? 'set up' : 'set down', isUp, null, null, null);
  }

  /** The kernel's own hardware address on the interface, six bytes; `null` for TUN. */
  get mac(): Uint8Array | null {
    return this.#interface().mac;
  }

  set mac(mac: Uint8Array) {
    if (this.kind === 'tun') {
      throw deviceError('ENOTSUP', 'RTM_NEWLINK', this.#context('set the hardware address of'));
    }
    this.#set('set the hardware address of', null, null, null, mac);
  }

  /** The kernel's own addresses on the interface, IPv6 link-local ones included. */
  get addresses(): Prefix[] {
    const list = explain(
      () => this.#context('list the addresses of'),
      () => this.#addon.listAddresses(this.#native),
    );
    return list.map(({ address, prefixLength }) => ({
      address: addressFromBytes(address),
      length: prefixLength,
    }));
  }

  /** @throws {DeviceError} `EEXIST` when the interface has the address already. */
  addAddress(address: Prefix): void {
    this.#changeAddress(true, address);
  }

  /** @throws {DeviceError} `EADDRNOTAVAIL` when the interface has no such address. */
  removeAddress(address: Prefix): void {
    this.#changeAddress(false, address);
  }

  /** Adds a route through the device to the main table. The interface must be up. @throws {DeviceError} `EEXIST`. */
  addRoute(route: DeviceRoute): void {
    this.#changeRoute(true, route);
  }

  /** @throws {DeviceError} `ESRCH` when there is no such route. */
  removeRoute(route: DeviceRoute): void {
    this.#changeRoute(false, route);
  }

  #changeAddress(isAdd: boolean, { address, length }: Prefix): void {
    explain(
      () => this.#context(`${isAdd ? 'add' : 'remove'} the address ${address}/${length} on`),
      () => this.#addon.changeAddress(this.#native, isAdd, bytesFromAddress(address), length),
    );
  }

  #changeRoute(isAdd: boolean, { destination, gateway, metric }: DeviceRoute): void {
    const { address, length } = destination;
    explain(
      () => this.#context(`${isAdd ? 'add' : 'remove'} the route ${address}/${length} through`),
      () =>
        this.#addon.changeRoute(
          this.#native,
          isAdd,
          bytesFromAddress(address),
          length,
          gateway === undefined ? null : bytesFromAddress(gateway),
          metric ?? 0,
        ),
    );
  }

  #describe(): NativeDescription {
    return explain(
      () => this.#context('ask about'),
      () => this.#addon.describe(this.#native),
    );
  }

  #interface() {
    return explain(
      () => this.#context('ask about'),
      () => this.#addon.getInterface(this.#native),
    );
  }

  #set(
    action: string,
    isUp: boolean | null,
    mtu: number | null,
    queueLength: number | null,
    mac: Uint8Array | null,
  ): void {
    explain(
      () => this.#context(action),
      () => this.#addon.setInterface(this.#native, isUp, mtu, queueLength, mac),
    );
  }

  #context(verb: string): FailureContext {
    return { action: `${verb} ${this.#lastName}`, device: this.#lastName };
  }
}

function ignore(): void {}

function openContext(kind: DeviceKind, device: string, namespace: string | undefined): FailureContext {
  const where = namespace === undefined ? '' : ` in the namespace ${namespace}`;
  const action = `open the ${kind.toUpperCase()} device ${device}${where}`;
  return namespace === undefined ? { action, device } : { action, device, namespace };
}

function withHolder(context: FailureContext): FailureContext {
  const holder = deviceHolder(context.device ?? '');
  return holder === undefined ? context : { ...context, holder };
}

/** The kernel's rule for names, with at most one `%d`. */
function checkName(name: string, context: FailureContext): void {
  const plain = name.replace('%d', '0');
  const isName = /^[^\s/:%]+$/.test(plain) && plain !== '.' && plain !== '..';
  if (isName && Buffer.byteLength(name) <= NAME_MAX) return;
  throw new DeviceError(
    'EINVAL',
    `cannot ${context.action}: an interface name has 1 to ${NAME_MAX} bytes without space, slash, colon or percent, ` +
      'but for one %d that the kernel numbers; choose such a name',
  );
}

/** What the addon opens. A name must not lead out of the directory of namespaces. */
function namespacePath(namespace: string | undefined, context: FailureContext): string | null {
  if (namespace === undefined) return null;
  if (namespace.startsWith('/')) return namespace;
  if (/^[^/\0]+$/.test(namespace) && namespace !== '.' && namespace !== '..')
    return `/run/netns/${namespace}`;
  throw new DeviceError(
    'EINVAL',
    `cannot ${context.action}: a namespace is a name under /run/netns, or an absolute path; see ip netns list`,
  );
}
