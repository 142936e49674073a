/**
 * `Tun` and `Tap`: a device as a Node stream, with the habits of the npm package `tuntap2`, for programs that know it.
 *
 * One `data` event is one packet (TUN) or Ethernet frame (TAP), and one `write` is one. Settings are properties. Unlike
 * there, properties can be read while the interface is down, and a name, a namespace and persistence can be chosen.
 * For speed use `Device` or a link: a stream costs an allocation and a copy per frame, and has no offloads.
 *
 * @example
 * const tun = new Tun();
 * tun.mtu = 1400;
 * tun.ipv4 = '10.0.0.100/24';
 * tun.ipv6 = 'fd00:1:2:3::1/64';
 * tun.on('data', (packet) => console.log('received', packet));
 * tun.isUp = true;
 * // later
 * tun.release();
 */

import { Duplex } from 'node:stream';
import {
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  EMPTY,
  FRAME_COLUMNS,
  FRAME_LENGTH,
  FRAME_OFFSET,
  formatMac,
  type IpFamily,
  type Prefix,
  parseMac,
  parsePrefix,
  TX_PAYLOAD1_LENGTH,
} from '../base/index.ts';
import { Device, type DeviceKind, type DeviceOptions, READABLE, WRITABLE } from './device.ts';
import { DeviceError } from './errors.ts';

/** Frames and bytes that one read takes at most: a stream's reader pays per frame, a large arena would only idle. */
const READ_FRAMES = 32;
const READ_ARENA_BYTES = 256 * 1024;

/** How a stream's device is opened. Offloads are off: a stream has no place to say that a frame is not complete. */
export type DeviceStreamOptions = Omit<DeviceOptions, 'offload'>;

type WriteCallback = (error?: Error | null) => void;

/** What `Tun` and `Tap` share. `end` or `destroy` closes the device, as `release` does. */
export abstract class DeviceStream extends Duplex {
  /** The device underneath, for what has no property here (routes, more addresses, queue length). */
  readonly device: Device;
  readonly #batch = createFrameBatch(READ_FRAMES, READ_ARENA_BYTES);
  readonly #outgoing = createTransmitBatch(1);
  #isReading = false;
  #pending: WriteCallback | null = null;

  constructor(kind: DeviceKind, options: DeviceStreamOptions | string) {
    super({ readableObjectMode: true, allowHalfOpen: false, decodeStrings: true });
    const named = typeof options === 'string' ? { name: options } : options;
    this.device = Device.open(kind, { ...named, offload: 0 });
  }

  /** The interface's name. */
  get name(): string {
    return this.device.name;
  }

  get isTun(): boolean {
    return this.device.kind === 'tun';
  }

  get isTap(): boolean {
    return this.device.kind === 'tap';
  }

  /** Largest IP packet, bytes. */
  get mtu(): number {
    return this.device.mtu;
  }

  set mtu(mtu: number) {
    this.device.mtu = mtu;
  }

  /**
   * The kernel's IPv4 address on the interface as `10.0.0.1/24`, the first if there are more; `null` for none. Setting
   * it replaces all.
   */
  get ipv4(): string | null {
    return this.#address(4);
  }

  set ipv4(prefix: string) {
    this.#replaceAddresses(4, prefix);
  }

  /**
   * The kernel's IPv6 address on the interface as `fd00::1/64`: a link-local one only if there is no other. Setting it
   * replaces all but the link-local ones.
   */
  get ipv6(): string | null {
    return this.#address(6);
  }

  set ipv6(prefix: string) {
    this.#replaceAddresses(6, prefix);
  }

  /** The kernel's hardware address on the interface; `null` for TUN, which has none and where setting it throws. */
  get mac(): string | null {
    const { mac } = this.device;
    return mac === null ? null : formatMac(mac);
  }

  set mac(text: string) {
    const mac = parseMac(text);
    if (mac === null) throw invalid(`${text} is no hardware address; write it as 02:00:00:00:00:01`);
    this.device.mac = mac;
  }

  get isUp(): boolean {
    return this.device.isUp;
  }

  set isUp(isUp: boolean) {
    this.device.isUp = isUp;
  }

  /** Whether the interface outlives this process. */
  get isPersist(): boolean {
    return this.device.isPersist;
  }

  set isPersist(isPersist: boolean) {
    this.device.isPersist = isPersist;
  }

  /** Closes the device; `done` is called when the stream has closed. Idempotent. */
  release(done?: () => void): void {
    if (done !== undefined) {
      if (this.closed) process.nextTick(done);
      else this.once('close', done);
    }
    this.destroy();
  }

  override _read(): void {
    this.#isReading = true;
    this.#updateWatch();
  }

  override _write(frame: Buffer, _encoding: BufferEncoding, done: WriteCallback): void {
    clearTransmitBatch(this.#outgoing);
    this.#outgoing.table.fill(0);
    this.#outgoing.table[TX_PAYLOAD1_LENGTH] = frame.length;
    this.#outgoing.payloads[0] = frame;
    this.#outgoing.count = 1;
    this.#flush(done);
  }

  override _final(done: WriteCallback): void {
    done();
  }

  override _destroy(error: Error | null, done: WriteCallback): void {
    this.#isReading = false;
    this.#pending = null;
    this.device.close();
    done(error);
  }

  /** Writes the one frame that waits, or waits on for room. A frame of no bytes is refused, as the kernel would. */
  #flush(done: WriteCallback): void {
    let isDone = false;
    try {
      isDone = this.device.writeBatch(this.#outgoing) === 1;
    } catch (error) {
      done(error as Error);
      return;
    }
    this.#pending = isDone ? null : done;
    this.#updateWatch();
    if (!isDone) return;
    this.#outgoing.payloads[0] = EMPTY;
    done();
  }

  #updateWatch(): void {
    if (this.destroyed) return;
    const interest = (this.#isReading ? READABLE : 0) | (this.#pending === null ? 0 : WRITABLE);
    if (interest === 0) this.device.unwatch();
    else this.device.watch(interest, this.#onReady);
  }

  readonly #onReady = (events: number): void => {
    try {
      if (events === 0 || (events & READABLE) !== 0) this.#receive();
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    if ((events & WRITABLE) !== 0 && this.#pending !== null) this.#flush(this.#pending);
  };

  /** Passes up what has arrived. Frames of a batch are all pushed: the stream buffers what its reader has not taken. */
  #receive(): void {
    const { bytes, table } = this.#batch;
    const count = this.device.readBatch(this.#batch);
    for (let row = 0; row < count * FRAME_COLUMNS; row += FRAME_COLUMNS) {
      const at = table[row + FRAME_OFFSET] as number;
      const frame = Buffer.from(bytes.subarray(at, at + (table[row + FRAME_LENGTH] as number)));
      if (!this.push(frame)) this.#isReading = false;
      if (this.destroyed) return;
    }
    this.#updateWatch();
  }

  #address(family: IpFamily): string | null {
    const own = this.device.addresses.filter(({ address }) => address.family === family);
    const first = own.find((prefix) => !isLinkLocal(prefix)) ?? own[0];
    return first === undefined ? null : `${first.address}/${first.length}`;
  }

  #replaceAddresses(family: IpFamily, text: string): void {
    const prefix = parsePrefix(text);
    if (prefix === null || prefix.address.family !== family) {
      throw invalid(
        `${text} is no IPv${family} address; write it as ${family === 4 ? '10.0.0.1/24' : 'fd00::1/64'}`,
      );
    }
    const before = this.device.addresses.filter(
      (old) => old.address.family === family && !(family === 6 && isLinkLocal(old)),
    );
    const isSame = (old: Prefix): boolean =>
      old.length === prefix.length && old.address.equals(prefix.address);
    for (const old of before) if (!isSame(old)) this.device.removeAddress(old);
    if (!before.some(isSame)) this.device.addAddress(prefix);
  }
}

/** A TUN device: IP packets. */
export class Tun extends DeviceStream {
  /** @param options or just a name; by default the kernel picks the next `tun<n>` */
  constructor(options: DeviceStreamOptions | string = {}) {
    super('tun', options);
  }
}

/** A TAP device: Ethernet frames without their checksum. */
export class Tap extends DeviceStream {
  /** @param options or just a name; by default the kernel picks the next `tap<n>` */
  constructor(options: DeviceStreamOptions | string = {}) {
    super('tap', options);
  }
}

/** fe80::/10 */
function isLinkLocal({ address }: Prefix): boolean {
  return address.family === 6 && address.isLinkLocal;
}

function invalid(message: string): DeviceError {
  return new DeviceError('EINVAL', message);
}
