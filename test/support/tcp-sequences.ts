/**
 * Sequences of segments and calls for the reference machine: legal and illegal ones, by places relative to the machine's
 * numbers, so that the same sequence fits every host.
 */

import fc from 'fast-check';
import type { ModelSegment, ModelState, TcpModel } from './tcp-model.ts';

/** Where a sequence number lies: at RCV.NXT, before and behind it, and around the right edge of the window. */
export type SeqPlace =
  | 'next'
  | 'old'
  | 'older'
  | 'ahead'
  | 'last'
  | 'edge'
  | 'beyond'
  | 'far'
  | 'ancient'
  | 'irs';

/** Where an acknowledgement lies: around SND.UNA and SND.NXT, and at the edges of what RFC 5961 §5 takes. */
export type AckPlace = 'una' | 'nxt' | 'over' | 'old' | 'oldest' | 'ancient' | 'unsent' | 'far';

export interface SegmentStep {
  readonly kind: 'segment';
  /** Letters of `SFRA`. */
  readonly flags: string;
  readonly seq: SeqPlace;
  readonly ack: AckPlace;
  readonly length: number;
  readonly window: number;
}

export interface CallStep {
  readonly kind: 'call';
  readonly call: 'open' | 'send' | 'receive' | 'shutdown' | 'close' | 'abort';
  /** Of `send`. */
  readonly length: number;
}

export type Step = SegmentStep | CallStep;

/** A sequence: how it comes into a state by legal steps, and what happens there. */
export interface Sequence {
  readonly isPassive: boolean;
  readonly start: ModelState;
  readonly steps: readonly Step[];
}

/** The peer's first number in all sequences. */
export const PEER_ISS = 0x7fff_fff0;

/** A step's numbers. */
export function segmentOf(step: SegmentStep, model: TcpModel): ModelSegment {
  const isUnknown = model.state === 'LISTEN' || model.state === 'SYN-SENT' || model.state === 'CLOSED';
  const next = isUnknown ? PEER_ISS : model.rcvNxt;
  const edge = isUnknown ? PEER_ISS + 1000 : model.edge;
  const seqs: Readonly<Record<SeqPlace, number>> = {
    next,
    old: next - 1,
    older: next - 6,
    ahead: next + 5,
    last: edge - 1,
    edge,
    beyond: edge + 1,
    far: next + 2 ** 30,
    ancient: next - 2 ** 30,
    irs: isUnknown ? next : model.irs,
  };
  const acks: Readonly<Record<AckPlace, number>> = {
    una: model.una,
    nxt: model.nxt,
    over: model.nxt + 1,
    old: model.una - 1,
    oldest: model.una - Math.max(1, model.maxWnd),
    ancient: model.una - Math.max(1, model.maxWnd) - 1,
    unsent: model.iss - 1,
    far: model.nxt + 2 ** 30,
  };
  const ack = step.flags.includes('A') ? acks[step.ack] : 0;
  return {
    flags: step.flags,
    seq: seqs[step.seq] | 0,
    ack: ack | 0,
    length: step.length,
    window: step.window,
  };
}

/** The legal way into a state. */
export function wayTo(state: ModelState, isPassive: boolean): Step[] {
  const open: Step[] = isPassive
    ? [segment('S', 'next', 'una'), segment('A', 'next', 'nxt')]
    : [call('open'), segment('SA', 'next', 'nxt')];
  switch (state) {
    case 'CLOSED':
    case 'LISTEN':
      return [];
    case 'SYN-SENT':
      return [call('open')];
    case 'SYN-RECEIVED':
      return isPassive ? open.slice(0, 1) : [call('open'), segment('S', 'next', 'una')];
    case 'ESTABLISHED':
      return open;
    case 'FIN-WAIT-1':
      return [...open, call('shutdown')];
    case 'FIN-WAIT-2':
      return [...open, call('shutdown'), segment('A', 'next', 'nxt')];
    case 'CLOSE-WAIT':
      return [...open, segment('FA', 'next', 'nxt')];
    case 'CLOSING':
      return [...open, call('shutdown'), segment('FA', 'next', 'una')];
    case 'LAST-ACK':
      return [...open, segment('FA', 'next', 'nxt'), call('shutdown')];
    case 'TIME-WAIT':
      return [...open, call('shutdown'), segment('FA', 'next', 'nxt')];
  }
}

function segment(flags: string, seq: SeqPlace, ack: AckPlace): SegmentStep {
  return { kind: 'segment', flags, seq, ack, length: 0, window: 60_000 };
}

function call(name: CallStep['call'], length = 0): CallStep {
  return { kind: 'call', call: name, length };
}

/** A step in words, for messages: `FA next nxt +5`, `send 3`. */
export function formatStep(step: Step): string {
  if (step.kind === 'call') return step.length > 0 ? `${step.call} ${step.length}` : step.call;
  const length = step.length > 0 ? ` +${step.length}` : '';
  return `${step.flags === '' ? '-' : step.flags} ${step.seq}/${step.ack}${length}${step.window === 0 ? ' win 0' : ''}`;
}

const SEQ_PLACES: readonly SeqPlace[] = [
  ...(['old', 'older', 'ahead', 'last', 'edge', 'beyond', 'far', 'ancient', 'irs'] as const),
];
const ACK_PLACES: readonly AckPlace[] = ['una', 'over', 'old', 'oldest', 'ancient', 'unsent', 'far'];
/** Common ones more often; with SYN no text and no FIN, which is Fast Open's matter. */
const FLAGS = ['A', 'A', 'A', 'A', 'FA', 'FA', 'R', 'RA', 'S', 'SA', '', 'F', 'SR', 'FRA'];

/** Half of the time what is right, so that sequences get somewhere. */
const segmentSteps: fc.Arbitrary<Step> = fc
  .record({
    flags: fc.constantFrom(...FLAGS),
    seq: fc.oneof(fc.constant<SeqPlace>('next'), fc.constantFrom(...SEQ_PLACES)),
    ack: fc.oneof(fc.constant<AckPlace>('nxt'), fc.constantFrom(...ACK_PLACES)),
    length: fc.constantFrom(0, 0, 1, 8),
    window: fc.constantFrom(60_000, 60_000, 60_000, 0),
  })
  .map((step) => ({ ...step, kind: 'segment', length: step.flags.includes('S') ? 0 : step.length }));

const callSteps: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('call' as const),
  call: fc.constantFrom('send', 'send', 'receive', 'shutdown', 'close', 'abort'),
  length: fc.constant(3),
}) as fc.Arbitrary<Step>;

const STATES: readonly ModelState[] = [
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];

/** Sequences of up to seven steps from any state. */
export const sequences: fc.Arbitrary<Sequence> = fc
  .record({
    isPassive: fc.boolean(),
    start: fc.constantFrom(...STATES),
    steps: fc.array(fc.oneof({ weight: 4, arbitrary: segmentSteps }, { weight: 1, arbitrary: callSteps }), {
      minLength: 1,
      maxLength: 7,
    }),
  })
  .map(({ isPassive, start, steps }) => ({
    isPassive: start === 'LISTEN' || (isPassive && start !== 'SYN-SENT'),
    start,
    steps,
  }));
