/**
 * Runs packet scripts against a stack in virtual time.
 */

import { type IpFamily, type Random, SeededRandom } from '../../base/index.ts';
import { dropReasonInfo } from '../../wire/index.ts';
import { ArgumentError, formatExpression, numberOf, UnknownNameError } from './arguments.ts';
import type { CallAction, PacketAction, Script, ScriptEvent } from './ast.ts';
import { buildIcmp, buildTcp, buildUdp, FLAG_BITS } from './build-packet.ts';
import { type CallAttempt, SystemCalls } from './calls.ts';
import { difference } from './expectations.ts';
import { runCode } from './figures.ts';
import { Flow } from './flow.ts';
import { formatSpec } from './format-spec.ts';
import { FormulaError } from './formula.ts';
import { Machine } from './machine.ts';
import { ScriptError, UnsupportedError } from './script-error.ts';
import { formatSeen, readSent, type SeenPacket, type SeenTcp } from './seen-packet.ts';
import { readSettings, type ScriptSettings } from './settings.ts';
import type { CallResult } from './socket.ts';

/** A line of what happened: at `at` ms a packet came (`<`) or went (`>`), in the script's syntax. */
export interface TraceLine {
  readonly at: number;
  readonly direction: '<' | '>';
  readonly text: string;
}

/** What has to wait, and until when. */
interface PendingCall {
  readonly event: ScriptEvent;
  readonly action: CallAction;
  readonly attempt: CallAttempt;
  readonly end: number;
}

/** One run of one script. */
export class ScriptRun {
  readonly notes: string[] = [];
  /** Written when it is asked for: only then are all sequence numbers known. */
  readonly #trace: (() => TraceLine)[] = [];
  readonly #script: Script;
  readonly #settings: ScriptSettings;
  readonly #machine: Machine;
  readonly #calls: SystemCalls;
  readonly #random: Random;
  readonly #flows = new Map<number, Flow>();
  /** Sent by the host and not compared yet. */
  readonly #sent: SeenPacket[] = [];
  #pending: PendingCall | null = null;
  /** The time of the event before: what `+` counts from. */
  #base = 0;

  constructor(script: Script, isKernel = false, family: IpFamily = 4) {
    this.#script = script;
    this.#settings = readSettings(script, isKernel, family);
    this.notes.push(...this.#settings.notes);
    this.#random = new SeededRandom(this.#settings.seed + 1);
    this.#machine = new Machine(this.#settings);
    this.#calls = new SystemCalls(
      this.#machine.stack,
      this.#settings,
      () => this.#flows.get(0)?.remotePort ?? this.#settings.connectPort,
      () => this.#machine.now(),
    );
    this.#machine.onRest = () => this.#retryPending();
  }

  /** Virtual time, ms. */
  get now(): number {
    return this.#machine.now();
  }

  /** Every packet so far. */
  get trace(): readonly TraceLine[] {
    return this.#trace.map((line) => line());
  }

  /** @throws {ScriptError} for the first expectation that does not hold */
  run(): void {
    for (const event of this.#script.events) this.#runEvent(event);
    if (this.#pending !== null) this.#finishPending(this.#pending);
    this.#collect();
    const last = this.#script.events.at(-1);
    for (const packet of this.#sent) {
      const text = formatSeen(packet, this.#flow(0));
      // After the last event nobody was asked about it; before, a script that is silent about it is wrong.
      if (packet.at >= this.#base) this.notes.push(`sent at the end, not expected: ${text}`);
      else
        this.#fail(
          last?.line ?? 1,
          `a packet sent at ${seconds(packet.at)} was not expected`,
          'nothing',
          text,
        );
    }
  }

  #runEvent(event: ScriptEvent): void {
    const { action, time } = event;
    const offset = time.kind === 'absolute' ? 0 : this.#base;
    const from = offset + time.from;
    if (from < this.#base && time.kind === 'absolute') {
      throw this.#error(event.line, `time goes back from ${seconds(this.#base)} to ${seconds(from)}`);
    }
    if (action.kind === 'packet' && !action.isInbound) {
      this.#base = this.#expectPacket(event, action, from, offset + time.to, time.from !== time.to);
      return;
    }
    this.#machine.advanceTo(from);
    this.#base = from;
    switch (action.kind) {
      case 'packet':
        this.#receive(event, action);
        break;
      case 'call':
        this.#call(event, action, offset);
        break;
      case 'code':
        this.#code(event, action.text);
        break;
      case 'command':
        this.notes.push(`${this.#script.file}:${event.line}: the command is not run: ${action.text}`);
        break;
    }
  }

  #flow(number: number): Flow {
    let flow = this.#flows.get(number);
    if (flow === undefined) {
      flow = new Flow(this.#settings.bindPort, FIRST_REMOTE_PORT + number, this.#random);
      this.#flows.set(number, flow);
    }
    return flow;
  }

  /** A packet of the peer. */
  #receive(event: ScriptEvent, action: PacketAction): void {
    const { packet } = action;
    const flow = this.#flow(action.flow);
    const { remoteAddress: from, localAddress: to } = this.#settings;
    const bytes =
      packet.protocol === 'tcp'
        ? buildTcp(packet, flow, from, to)
        : packet.protocol === 'udp'
          ? buildUdp(packet.length, flow, from, to)
          : buildIcmp(packet, flow, from, to, this.#settings.mtuShift);
    if (bytes === null) throw this.#error(event.line, `the peer cannot send ${formatSpec(packet)}`);
    const at = this.#machine.now();
    const reason = this.#machine.receive(bytes);
    const why = reason === 0 ? '' : `  (dropped: ${dropReasonInfo(reason)?.name ?? reason})`;
    const line: TraceLine = { at, direction: '<', text: formatSpec(packet) + why };
    this.#trace.push(() => line);
    this.#collect();
  }

  /** The host should send `action.packet` between `from` and `to`. @returns what the next `+` counts from */
  #expectPacket(
    event: ScriptEvent,
    action: PacketAction,
    from: number,
    to: number,
    isRange: boolean,
  ): number {
    const { tolerance } = this.#settings;
    const isSent = (): boolean => {
      this.#collect();
      return this.#sent.length > 0;
    };
    // `*` waits as long as any timer of TCP might take.
    this.#machine.advanceTo(Math.min(to, from + LONGEST_WAIT) + tolerance, isSent);
    isSent();
    const expected = `${seconds(from)}${isRange ? `~${seconds(to)}` : ''} ${formatSpec(action.packet)}`;
    const seen = this.#takeSent(action);
    if (seen === undefined) {
      return this.#fail(event.line, 'the host sent nothing', expected, `nothing until ${seconds(this.now)}`);
    }
    const flow = this.#flowOf(action, seen);
    const what = this.#compare(action, seen, flow);
    if (what === null) flow.isKnown = true;
    const text = `${seconds(seen.at)} ${formatSeen(seen, flow)}`;
    if (what !== null) return this.#fail(event.line, `${what} differs`, expected, text);
    if (seen.at < from - tolerance || seen.at > to + tolerance) {
      return this.#fail(event.line, 'the time differs', expected, text);
    }
    return isRange || event.time.kind === 'any' ? seen.at : from;
  }

  #compare(action: PacketAction, seen: SeenPacket, flow: Flow): string | null {
    const what = difference(action.packet, seen, flow, {
      tolerance: Math.max(1, this.#settings.tolerance),
      isKernel: this.#settings.isKernel,
      mtuShift: this.#settings.mtuShift,
    });
    if (what !== null || seen.protocol !== 'tcp') return what;
    const socket = this.#calls.streams.find(({ endpoint }) => {
      return endpoint.localPort === flow.localPort && endpoint.remotePort === flow.remotePort;
    });
    if (socket === undefined) return null;
    return socket.written.agrees(seen.payload, flow.fromWireLocal(seen.seq) - 1) ? null : 'the payload';
  }

  /**
   * The next packet that was sent. Where the script shows one of several segments, as a kernel hands them to a device that
   * cuts them, those that follow on each other are taken together.
   */
  #takeSent({ packet }: PacketAction): SeenPacket | undefined {
    let seen = this.#sent.shift();
    if (packet.protocol !== 'tcp') return seen;
    while (seen?.protocol === 'tcp' && seen.payload.length > 0 && seen.payload.length < packet.length) {
      const next = this.#sent[0];
      if (next?.protocol !== 'tcp' || !followsOn(seen, next)) break;
      this.#sent.shift();
      seen = merged(seen, next);
    }
    return seen;
  }

  /** The flow that a packet of the host belongs to; a connection that the host opens shows its port here. */
  #flowOf(action: PacketAction, seen: SeenPacket): Flow {
    const flow = this.#flow(action.flow);
    if (seen.protocol !== 'tcp' && seen.protocol !== 'udp') return flow;
    if (!flow.isKnown) {
      flow.localPort = seen.sourcePort;
      flow.remotePort = seen.destinationPort;
      return flow;
    }
    return flow;
  }

  #call(event: ScriptEvent, action: CallAction, offset: number): void {
    if (this.#pending !== null) this.#finishPending(this.#pending);
    let attempt: CallAttempt;
    try {
      attempt = this.#calls.prepare(action.name, action.args, wantedDescriptor(action));
      const result = attempt();
      this.#machine.rest();
      if (action.end === null) {
        if (result === undefined) this.#fail(event.line, 'the call blocks', formatCall(action), 'no return');
        this.#checkResult(event, action, result as CallResult);
        return;
      }
      const end = offset + action.end;
      if (result === undefined) {
        this.#pending = { event, action, attempt, end };
        // A turn has passed since the attempt: it may be able to end already.
        this.#retryPending();
        return;
      }
      this.#checkTime(event, action, end);
      this.#checkResult(event, action, result);
    } catch (error) {
      if (error instanceof UnknownNameError) throw this.#unsupported(event.line, error.message);
      if (error instanceof ArgumentError) throw this.#error(event.line, error.message);
      throw error;
    } finally {
      this.#collect();
    }
  }

  #retryPending(): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    const result = pending.attempt();
    if (result === undefined) {
      this.#pending = pending;
      return;
    }
    this.#checkTime(pending.event, pending.action, pending.end);
    this.#checkResult(pending.event, pending.action, result);
  }

  /** The script goes on to another call: the one before must end now. */
  #finishPending(pending: PendingCall): void {
    this.#machine.advanceTo(pending.end + this.#settings.tolerance, () => this.#pending !== pending);
    if (this.#pending === pending) {
      this.#fail(pending.event.line, 'the call still blocks', formatCall(pending.action), 'no return');
    }
  }

  #checkTime(event: ScriptEvent, action: CallAction, end: number): void {
    if (Math.abs(this.now - end) <= this.#settings.tolerance) return;
    const expected = `${formatCall(action)} at ${seconds(end)}`;
    this.#fail(event.line, 'the call returned at another time', expected, `returned at ${seconds(this.now)}`);
  }

  #checkResult(event: ScriptEvent, action: CallAction, result: CallResult): void {
    const expected = numberOf(action.result);
    const seen = result.errno === null ? `${result.value}` : `${result.value} ${result.errno}`;
    const isSame =
      (expected === null || expected === result.value) && (action.errno ?? null) === result.errno;
    if (result.errno === 'ENOPROTOOPT' && action.errno === null) {
      throw this.#unsupported(event.line, `there is no such option: ${formatCall(action)}`);
    }
    if (!isSame && !(expected === null && action.errno === null)) {
      this.#fail(event.line, `${action.name} returned something else`, formatCall(action), seen);
    }
    if (result.complaint !== undefined) {
      this.#fail(event.line, `${action.name} gave something else`, formatCall(action), result.complaint);
    }
  }

  #code(event: ScriptEvent, text: string): void {
    const socket = this.#calls.underTest;
    if (socket === null) throw this.#error(event.line, 'there is no connection to look at');
    try {
      const { failed, ignored } = runCode(text, socket.endpoint.info());
      for (const statement of ignored) {
        this.notes.push(`${this.#script.file}:${event.line}: not carried out: ${statement}`);
      }
      if (failed !== null) {
        this.#fail(event.line, 'an assertion failed', `assert ${failed.assertion}`, failed.values);
      }
    } catch (error) {
      if (error instanceof FormulaError) throw this.#unsupported(event.line, error.message);
      throw error;
    }
  }

  /** Reads what the host has sent since the last look. */
  #collect(): void {
    for (const packet of this.#machine.sent.splice(0)) {
      const seen = readSent(packet);
      this.#sent.push(seen);
      this.#trace.push(() => {
        return { at: packet.at, direction: '>', text: formatSeen(seen, this.#nearestFlow(seen)) };
      });
    }
  }

  #nearestFlow(seen: SeenPacket): Flow {
    if (seen.protocol === 'tcp' || seen.protocol === 'udp') {
      for (const flow of this.#flows.values()) {
        if (flow.localPort === seen.sourcePort && flow.remotePort === seen.destinationPort) return flow;
      }
    }
    return this.#flow(0);
  }

  #error(line: number, what: string): ScriptError {
    return new ScriptError(this.#script.file, line, what);
  }

  #unsupported(line: number, what: string): UnsupportedError {
    return new UnsupportedError(this.#script.file, line, what);
  }

  #fail(line: number, what: string, expected: string, actual: string): never {
    throw new ScriptError(this.#script.file, line, what, expected, actual);
  }
}

/** The peer's port on flow 0. */
const FIRST_REMOTE_PORT = 40_000;
/** How long `*` waits, ms: longer than the longest back-off of a retransmission. */
const LONGEST_WAIT = 600_000;

function seconds(time: number): string {
  return (time / 1000).toFixed(6);
}

/** Whether `next` carries the bytes behind those of `seen`, on the same connection and with the same ECN field. */
function followsOn(seen: SeenTcp, next: SeenTcp): boolean {
  return (
    next.sourcePort === seen.sourcePort &&
    next.destinationPort === seen.destinationPort &&
    next.ecn === seen.ecn &&
    next.seq === ((seen.seq + seen.payload.length) | 0)
  );
}

function merged(first: SeenTcp, next: SeenTcp): SeenTcp {
  const payload = new Uint8Array(first.payload.length + next.payload.length);
  payload.set(first.payload);
  payload.set(next.payload, first.payload.length);
  const has = (letter: string): boolean => first.flags.includes(letter) || next.flags.includes(letter);
  const flags = FLAG_BITS.map(([letter]) => letter).filter(has);
  return { ...first, flags: flags.join(''), payload };
}

/** What the script calls the descriptor that a call makes. */
function wantedDescriptor({ name, result }: CallAction): number | null {
  const isMaking = name === 'socket' || name === 'accept' || name === 'accept4';
  const number = isMaking && result.kind === 'number' ? result.value : -1;
  return number >= 0 ? number : null;
}

function formatCall(action: CallAction): string {
  const call = `${action.name}(${action.args.map(formatExpression).join(', ')})`;
  return `${call} = ${formatExpression(action.result)}${action.errno === null ? '' : ` ${action.errno}`}`;
}
