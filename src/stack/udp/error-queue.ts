/**
 * ICMP errors about datagrams that an endpoint sent, kept until somebody asks for them (OPT-IP_RECVERR, OPT-IPV6_RECVERR): one ring
 * of bytes an endpoint, each error's quoted payload behind a record of what ICMP said. There is no ring before the first error.
 *
 *     0        4                  20     24    28          30     31     32
 *     | length | destination (4w) | zone | MTU | dst. port | type | code | family (4) | quoted payload …
 *
 * The queue is bounded by number and by bytes. When it is full the errors that wait are kept and the new one is dropped, as with
 * messages (SEM-IO-16): the first errors of a burst say what went wrong. A quote that is longer than any sender needs to know its own
 * datagram by is cut.
 */

import {
  type BufferAllocator,
  IpAddress,
  type IpFamily,
  i32,
  isScopedWord,
  putI32,
  putU16,
  Ring,
  u16,
} from '../../base/index.ts';
import { UDP_HEADER_LEN } from '../../wire/index.ts';
import type { IcmpErrorQueue, QueuedIcmpError } from '../api.ts';
import type { IcmpErrorHead, InboundPacket } from '../host.ts';

const RECORD_LEN = 36;
/** Most errors that wait, and most bytes with their records. */
const MAX_ERRORS = 64;
const MAX_BYTES = 65_536;
/** Most of a quote that is kept: what a packet of IPv6's least MTU can hold (RFC 4443 §2.4(c)). */
const MAX_QUOTE = 1280;

/** Records are built and read here: nothing else runs in between. */
const record = new Uint8Array(RECORD_LEN);

export class ErrorQueue implements IcmpErrorQueue {
  readonly #allocator: BufferAllocator;
  #ring: Ring | null = null;
  #count = 0;
  #takesV4 = false;
  #takesV6 = false;

  constructor(allocator: BufferAllocator) {
    this.#allocator = allocator;
  }

  get takesV4(): boolean {
    return this.#takesV4;
  }

  set takesV4(isOn: boolean) {
    if (this.#takesV4 && !isOn) this.clear();
    this.#takesV4 = isOn;
  }

  get takesV6(): boolean {
    return this.#takesV6;
  }

  set takesV6(isOn: boolean) {
    if (this.#takesV6 && !isOn) this.clear();
    this.#takesV6 = isOn;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether errors about packets of a family are wanted. */
  wants(family: IpFamily): boolean {
    return family === 4 ? this.#takesV4 : this.#takesV6;
  }

  /**
   * Queues an error about a datagram.
   * @param mtu what a router said of its next hop, 0 when the error is not about that
   * @returns false when there was no room or memory: the newest is what is dropped
   */
  add(quoted: InboundPacket, head: IcmpErrorHead, mtu: number): boolean {
    const from = quoted.payloadAt + UDP_HEADER_LEN;
    const length = Math.min(Math.max(0, quoted.end - from), MAX_QUOTE);
    this.#ring ??= new Ring(this.#allocator, MAX_BYTES);
    const ring = this.#ring;
    const { used } = ring;
    if (this.#count >= MAX_ERRORS || ring.free < RECORD_LEN + length) return false;
    writeRecord(quoted, head, mtu, length);
    // The quote first: nothing can be taken until the commit.
    if (ring.writeAt(used + RECORD_LEN, quoted.bytes, from, length) !== length) return false;
    if (ring.writeAt(used, record, 0, RECORD_LEN) !== RECORD_LEN) return false;
    ring.commit(RECORD_LEN + length);
    this.#count++;
    return true;
  }

  take(into: Uint8Array, at: number, length: number, report: QueuedIcmpError, isPeek: boolean): number {
    const ring = this.#ring;
    if (ring === null || this.#count === 0) return -1;
    ring.peek(0, record, 0, RECORD_LEN);
    const whole = i32(record, 0);
    const copied = ring.peek(RECORD_LEN, into, at, Math.min(length, whole));
    readRecord(report, whole);
    if (!isPeek) {
      ring.discard(RECORD_LEN + whole);
      this.#count--;
    }
    return copied;
  }

  /** Drops all and gives the memory back. */
  clear(): void {
    this.#ring?.release();
    this.#count = 0;
  }
}

function writeRecord(quoted: InboundPacket, head: IcmpErrorHead, mtu: number, length: number): void {
  putI32(record, 0, length);
  putI32(record, 4, quoted.dst0);
  putI32(record, 8, quoted.dst1);
  putI32(record, 12, quoted.dst2);
  putI32(record, 16, quoted.dst3);
  putI32(record, 20, quoted.zone);
  putI32(record, 24, mtu);
  putU16(record, 28, u16(quoted.bytes, quoted.payloadAt + 2));
  record[30] = head.type;
  record[31] = head.code;
  record[32] = quoted.family;
}

function readRecord(report: QueuedIcmpError, length: number): void {
  report.family = record[32] === 4 ? 4 : 6;
  report.destination = destinationIn(report.family);
  report.destinationPort = u16(record, 28);
  report.type = record[30] as number;
  report.code = record[31] as number;
  report.mtu = i32(record, 24);
  report.length = length;
}

/** Allocates: errors are rare. */
function destinationIn(family: IpFamily): IpAddress {
  const last = i32(record, 16);
  if (family === 4) return IpAddress.v4(last);
  const first = i32(record, 4);
  const zone = isScopedWord(first) ? i32(record, 20) : 0;
  return new IpAddress(6, first, i32(record, 8), i32(record, 12), last, zone);
}
