import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StackError, type TcpEndpoint } from '../../src/stack/index.ts';
import type { EitherPacket } from '../support/packets.ts';
import { flagBits, PEER } from '../support/segment.ts';
import { TcpModel } from '../support/tcp-model.ts';
import {
  type CallStep,
  formatStep,
  type Sequence,
  type Step,
  segmentOf,
  sequences,
  wayTo,
} from '../support/tcp-sequences.ts';
import {
  address,
  listenOn,
  makeTcpHost,
  must,
  PEER_PORT,
  PLAIN_SYN,
  PORT,
  type TcpHost,
} from '../unit/tcp/support.ts';

/** The stack beside the reference machine: each step goes to both, and what comes of it is compared. */
class Run {
  readonly model: TcpModel;
  readonly #host: TcpHost;
  readonly #listener: TcpEndpoint | null;
  /** What the user holds; `null` when there is nothing, or he has closed it. */
  #socket: TcpEndpoint | null = null;
  readonly #done: string[] = [];

  constructor({ isPassive }: Sequence) {
    this.model = new TcpModel(isPassive);
    this.#host = makeTcpHost({ delayedAckMs: 1 });
    this.#listener = isPassive ? listenOn(this.#host) : null;
    if (isPassive) return;
    this.#socket = this.#open();
  }

  #open(): TcpEndpoint {
    const socket = this.#host.stack.openTcp();
    socket.noDelay = true;
    must(socket.bind(address('10.0.0.2'), PORT));
    return socket;
  }

  take(step: Step): void {
    this.#done.push(`${formatStep(step)} in ${this.model.state}`);
    const nxt = this.model.nxt;
    if (step.kind === 'call') this.#call(step);
    else {
      const segment = segmentOf(step, this.model);
      this.model.arrives(segment);
      this.#host.in({
        seq: segment.seq >>> 0,
        ack: segment.ack >>> 0,
        flags: flagBits(segment.flags.replace('A', '.')),
        window: segment.window,
        payload: segment.length,
        ...(segment.flags.includes('S') ? { options: PLAIN_SYN } : {}),
      });
    }
    const sent = [...this.#host.out(), ...this.#host.pass(1), ...this.#host.pass(1)];
    this.#accept();
    this.#compare(sent, nxt);
  }

  #call({ call, length }: CallStep): void {
    const socket = this.#socket;
    // Nobody can call what nobody holds.
    if (socket === null) return;
    switch (call) {
      case 'open':
        this.model.open();
        must(socket.connect(address(PEER), PEER_PORT));
        break;
      case 'send': {
        const isTaken = this.model.send(length);
        const taken = socket.write(new Uint8Array(length), 0, length);
        this.#same('bytes taken', taken > 0, isTaken);
        break;
      }
      case 'receive':
        this.model.receive();
        socket.read(new Uint8Array(4096), 0, 4096);
        break;
      case 'shutdown':
        this.model.shutdown();
        socket.shutdownWrite();
        break;
      case 'close':
        this.model.close();
        socket.close();
        this.#socket = null;
        break;
      case 'abort':
        // TIME-WAIT needs nobody: what is held of it is only let go.
        if (this.model.state === 'TIME-WAIT') return;
        this.model.abort();
        socket.abort();
        this.#socket = null;
        break;
    }
  }

  /** A connection that was opened to the listener; the one before has ended then. */
  #accept(): void {
    const accepted = this.#listener?.accept();
    if (accepted === null || accepted === undefined) return;
    accepted.noDelay = true;
    this.#socket?.close();
    this.#socket = accepted;
  }

  #compare(all: readonly EitherPacket[], nxtBefore: number): void {
    const { model } = this;
    const due = model.output();
    const sent = all.filter((packet) => !isRetransmission(packet, nxtBefore) || due.isSynDue);
    const syn = sent.find(({ flags }) => flags?.includes('S') === true);
    this.#same('SYN sent', syn !== undefined, due.isSynDue);
    if (syn !== undefined) model.sentSyn((syn.seq as number) | 0, syn.window as number);
    const reset = sent.find(({ flags }) => flags?.includes('R') === true);
    this.#same('RST sent', reset !== undefined, due.reset !== null);
    if (reset !== undefined && due.reset !== null) {
      this.#same('number of the RST', reset.seq, due.reset.seq >>> 0);
      if (due.reset.ack !== null) this.#same('ACK of the RST', reset.ack, due.reset.ack >>> 0);
    }
    const others = sent.filter((packet) => packet !== syn && packet !== reset);
    for (const packet of others) this.#same('RCV.NXT sent', packet.ack, model.rcvNxt >>> 0);
    const isSending = model.nxt !== nxtBefore && syn === undefined;
    if (due.reset === null) {
      this.#same(
        'ACK sent',
        others.length > 0 || (due.isSynDue && !due.isAckDue),
        due.isAckDue || isSending || due.isSynDue,
      );
    }
    for (const packet of others) model.offered(((packet.ack as number) + (packet.window as number)) | 0);
    if (others.length > 0) {
      const end = Math.max(...others.map((packet) => (endOf(packet) - nxtBefore) | 0));
      if (isSending) this.#same('SND.NXT', (nxtBefore + end) >>> 0, model.nxt >>> 0);
    }
    this.#compareState();
  }

  #compareState(): void {
    const { model } = this;
    this.#same('state', this.#state(), model.state);
    const isOver = model.state === 'LISTEN' || model.state === 'SYN-RECEIVED';
    if (this.#listener !== null && isOver) {
      // What he held has ended, and the next is not his yet.
      this.#socket?.close();
      this.#socket = null;
    }
    const socket = this.#socket;
    if (socket === null || isOver) return;
    this.#same('bytes to read', socket.readableBytes, model.unread);
    this.#same('end of the stream', socket.atEnd, model.hasPeerClosed && model.unread === 0);
    const errors = {
      none: 0,
      refused: StackError.connectionRefused,
      reset: StackError.connectionReset,
      aborted: 0,
    };
    this.#same('error', socket.error, errors[model.failure]);
  }

  /** The connection's, or what stands there without one. */
  #state(): string {
    for (const endpoint of this.#host.stack.endpoints()) {
      const { state } = endpoint as TcpEndpoint;
      if (endpoint.remotePort === PEER_PORT && state !== 'LISTEN' && state !== 'CLOSED') return state;
    }
    return this.#listener === null ? 'CLOSED' : 'LISTEN';
  }

  #same(what: string, seen: unknown, expected: unknown): void {
    if (seen === expected) return;
    throw new Error(`${what}: ${seen} for ${expected}, after: ${this.#done.join('; ')}`);
  }
}

/** Something that was sent before. */
function isRetransmission(packet: EitherPacket, nxt: number): boolean {
  const isLong = packet.payload.length > 0 || /[SF]/.test(packet.flags ?? '');
  return isLong && ((endOf(packet) - nxt) | 0) <= 0;
}

function endOf(packet: EitherPacket): number {
  return ((packet.seq as number) + packet.payload.length + (/[SF]/.test(packet.flags ?? '') ? 1 : 0)) | 0;
}

/** Takes the way into the state, and then the steps. */
function run(sequence: Sequence): void {
  const both = new Run(sequence);
  for (const step of wayTo(sequence.start, sequence.isPassive)) both.take(step);
  if (sequence.start !== both.model.state && sequence.start !== 'CLOSED')
    throw new Error(`in ${both.model.state}`);
  for (const step of sequence.steps) both.take(step);
}

describe('RFC 9293 §3.10 the stack and a reference machine', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_123);

  test('RFC 9293 §3.10.7 RFC 5961 agree upon every sequence of segments and calls, legal or not', () => {
    fc.assert(fc.property(sequences, run), { numRuns: 1500, seed });
  });

  test('each state is reached by its legal way', () => {
    for (const start of ['SYN-RECEIVED', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSE-WAIT'] as const) {
      for (const isPassive of [false, true]) run({ isPassive, start, steps: [] });
    }
    for (const start of ['CLOSING', 'LAST-ACK', 'TIME-WAIT'] as const) {
      for (const isPassive of [false, true]) run({ isPassive, start, steps: [] });
    }
    expect(() => run({ isPassive: true, start: 'SYN-SENT', steps: [] })).toThrow('in ');
  });
});
