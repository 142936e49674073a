/**
 * One UDP datagram to a port where nobody listens, as traceroute sends them, and the ICMP error that comes of it. Whose error it is says
 * a raw endpoint, which hears all of them.
 */

import { type Cancel, type Scheduler, u16 } from '../base/index.ts';
import type { PingAnswer } from '../port/index.ts';
import {
  createDatagramInfo,
  type DatagramInfo,
  type RawEndpoint,
  type Stack,
  type UdpEndpoint,
} from '../stack/index.ts';
import { Asker, type EchoRequest, meaningOf, NOTHING, notSent } from './echo.ts';

/** A probe is sent like an echo request, but to a port. */
export interface ProbeRequest extends EchoRequest {
  readonly port: number;
}

const IPPROTO_ICMP = 1;
const IPPROTO_UDP = 17;
const IPPROTO_ICMPV6 = 58;
const IPV6_HEADER_LEN = 40;
const ICMP_HEADER_LEN = 8;
/** Codes of Destination Unreachable that the destination itself sends: its port is closed. */
const PORT_UNREACHABLE = { 4: 3, 6: 4 } as const;
const UNREACHABLE = { 4: 3, 6: 1 } as const;

/** Sends one datagram. The promise never rejects. */
export function sendProbe(stack: Stack, scheduler: Scheduler, request: ProbeRequest): Promise<PingAnswer> {
  return new Promise((resolve) => {
    new PendingProbe(stack, scheduler, request, resolve);
  });
}

class PendingProbe extends Asker {
  readonly #request: ProbeRequest;
  readonly #scheduler: Scheduler;
  readonly #udp: UdpEndpoint;
  readonly #raw: RawEndpoint;
  readonly #sentAt: number;
  readonly #timer: Cancel;
  readonly #resolve: (answer: PingAnswer) => void;
  readonly #bytes = new Uint8Array(2048);
  #isOver = false;

  constructor(
    stack: Stack,
    scheduler: Scheduler,
    request: ProbeRequest,
    resolve: (answer: PingAnswer) => void,
  ) {
    super();
    const { family } = request.address;
    this.#request = request;
    this.#scheduler = scheduler;
    this.#resolve = resolve;
    this.#raw = stack.openRaw(family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, family);
    this.#udp = stack.openUdp(family);
    this.#raw.context = this;
    this.#udp.context = this;
    if (request.ttl > 0) this.#udp.ttl = request.ttl;
    this.#udp.dontFragment = request.dontFragment;
    this.#sentAt = scheduler.now();
    this.#timer = scheduler.after(request.timeoutMs, () =>
      this.#end({ ...NOTHING, message: 'no answer in time' }),
    );
    const payload = new Uint8Array(request.size).fill(0x40);
    const error = this.#udp.send(payload, 0, payload.length, request.address, request.port);
    if (error < 0) this.#end(notSent(error));
  }

  override collect(): void {
    const info: DatagramInfo = createDatagramInfo();
    while (!this.#isOver) {
      const length = this.#raw.receive(this.#bytes, 0, this.#bytes.length, info);
      if (length < 0) break;
      this.#look(info, length);
    }
    // Somebody listens there after all.
    if (!this.#isOver && this.#udp.nextLength >= 0) {
      this.#udp.receive(this.#bytes, 0, this.#bytes.length, info);
      if (info.source.equals(this.#request.address)) this.#answer(info, 'reply', '');
    }
  }

  /** Looks whether an ICMP message is an error about the probe. */
  #look(info: DatagramInfo, length: number): void {
    const bytes = this.#bytes;
    const { family } = this.#request.address;
    const at = family === 4 ? ((bytes[0] as number) & 0xf) << 2 : 0;
    const quoteAt = at + ICMP_HEADER_LEN;
    const quotedHeader = family === 4 ? ((bytes[quoteAt] ?? 0) & 0xf) << 2 : IPV6_HEADER_LEN;
    const portsAt = quoteAt + quotedHeader;
    if (portsAt + 4 > length) return;
    const protocol = bytes[quoteAt + (family === 4 ? 9 : 6)];
    if (protocol !== IPPROTO_UDP || u16(bytes, portsAt) !== this.#udp.localPort) return;
    if (u16(bytes, portsAt + 2) !== this.#request.port) return;
    const type = bytes[at] as number;
    const code = bytes[at + 1] as number;
    const isThere = type === UNREACHABLE[family] && code === PORT_UNREACHABLE[family];
    const { result, message } = meaningOf(family, type, code);
    this.#answer(info, isThere ? 'reply' : result, message);
  }

  #answer({ source, ttl }: DatagramInfo, result: PingAnswer['result'], message: string): void {
    const rttMs = Math.max(0, this.#scheduler.now() - this.#sentAt);
    this.#end({ result, from: source.toString(), bytes: 0, ttl, rttMs, message });
  }

  #end(answer: PingAnswer): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer();
    this.#udp.close();
    this.#raw.close();
    this.#resolve(answer);
  }
}
