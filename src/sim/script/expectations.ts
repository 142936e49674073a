/**
 * Whether a packet that the host sent is the one that the script expects.
 */

import { IPPROTO_TCP, IPPROTO_UDP } from '../../wire/index.ts';
import type { IcmpSpec, PacketSpec, TcpOptionSpec, TcpSpec } from './ast.ts';
import { FLAG_BITS } from './build-packet.ts';
import type { Flow } from './flow.ts';
import { icmpNumbers } from './icmp-names.ts';
import type { SeenIcmp, SeenOption, SeenPacket, SeenTcp } from './seen-packet.ts';

/** How exactly a script means what it says. */
export interface Exactness {
  /** How far a timestamp may be off, ms. */
  readonly tolerance: number;
  /** Scripts for a kernel: PSH and the order and padding of options are its own habits, and not compared. */
  readonly isKernel: boolean;
  /** `ScriptSettings.mtuShift`. */
  readonly mtuShift: number;
}

/**
 * Compares; learns from the host's SYN where its sequence numbers start, and from its first timestamp where those do.
 * @returns what differs, in words, or `null` when nothing does
 */
export function difference(
  spec: PacketSpec,
  seen: SeenPacket,
  flow: Flow,
  exactness: Exactness,
): string | null {
  if (spec.protocol !== seen.protocol) return `a packet of ${seen.protocol}`;
  if (spec.protocol === 'tcp' && seen.protocol === 'tcp') return tcpDifference(spec, seen, flow, exactness);
  if (spec.protocol === 'udp' && seen.protocol === 'udp') {
    return spec.length === seen.payload.length ? null : 'the length';
  }
  return spec.protocol === 'icmp' && seen.protocol === 'icmp'
    ? icmpDifference(spec, seen, exactness.mtuShift)
    : null;
}

function tcpDifference(spec: TcpSpec, seen: SeenTcp, flow: Flow, exactness: Exactness): string | null {
  const letters = FLAG_BITS.map(([letter]) => letter).filter(
    (letter) => letter !== 'P' || !exactness.isKernel,
  );
  if (letters.some((letter) => spec.flags.includes(letter) !== seen.flags.includes(letter)))
    return 'the flags';
  if (seen.flags.includes('S') && !flow.isKnown) flow.localOffset = (seen.seq - spec.seq) | 0;
  if (seen.seq !== flow.toWireLocal(spec.seq)) return 'the sequence number';
  if (seen.payload.length !== spec.length) return 'the length';
  if (spec.ack !== null && seen.ack !== flow.toWireRemote(spec.ack)) return 'the acknowledgement number';
  if (spec.window !== null && seen.window !== spec.window) return 'the window';
  if (spec.urgent !== null && seen.urgent !== spec.urgent) return 'the urgent pointer';
  if (spec.ecn !== null && !isEcn(spec.ecn, seen.ecn)) return 'the ECN field of the IP header';
  if (spec.options === null) return null;
  if (!exactness.isKernel) return optionsDifference(spec.options, seen.options, flow, exactness.tolerance);
  return optionsDifference(sorted(spec.options), sorted(seen.options), flow, exactness.tolerance);
}

function isEcn(spec: string, bits: number): boolean {
  if (spec === 'ect01') return bits === 1 || bits === 2;
  return ['noecn', 'ect1', 'ect0', 'ce'][bits] === spec;
}

function optionsDifference(
  specs: readonly TcpOptionSpec[],
  seen: readonly SeenOption[],
  flow: Flow,
  tolerance: number,
): string | null {
  if (specs.length !== seen.length) return 'the options';
  for (const [i, spec] of specs.entries()) {
    const option = seen[i] as SeenOption;
    if (option.kind !== spec.kind) return `the options: ${option.kind} in the place of ${spec.kind}`;
    if (spec.kind === 'TS') {
      const what = timestampDifference(spec.val, spec.ecr, option, flow, tolerance);
      if (what !== null) return what;
    } else if (!hasNumbers(spec, option, flow)) return `option ${spec.kind}`;
  }
  return null;
}

/** Options in an order of their own, without padding. */
function sorted<Option extends { readonly kind: string }>(options: readonly Option[]): Option[] {
  const kinds = options.filter(({ kind }) => kind !== 'nop' && kind !== 'eol');
  return kinds.sort((a, b) => (a.kind < b.kind ? -1 : 1));
}

function hasNumbers(spec: TcpOptionSpec, option: SeenOption, flow: Flow): boolean {
  if (spec.kind === 'mss' || spec.kind === 'wscale') return option.numbers[0] === spec.value;
  if (spec.kind === 'ECN') {
    const isOrder1 = spec.fields[0]?.[0] === 'e1b';
    const numbers = [isOrder1 ? 174 : 172, ...spec.fields.map(([, value]) => value)];
    return numbers.length === option.numbers.length && numbers.every((n, i) => n === option.numbers[i]);
  }
  if (spec.kind === 'FO' || spec.kind === 'FOEXP') {
    return (
      spec.cookie.length === option.numbers.length &&
      spec.cookie.every((byte, i) => byte === option.numbers[i])
    );
  }
  if (spec.kind !== 'sack') return true;
  const edges = spec.blocks.flat().map((edge) => flow.toWireRemote(edge));
  return edges.length === option.numbers.length && edges.every((edge, i) => edge === option.numbers[i]);
}

function timestampDifference(
  val: number,
  ecr: number,
  option: SeenOption,
  flow: Flow,
  tolerance: number,
): string | null {
  const [seenVal = 0, seenEcr = 0] = option.numbers;
  flow.timestampOffset ??= (seenVal - val) | 0;
  if (Math.abs((seenVal - flow.timestampOffset - val) | 0) > tolerance) return 'the timestamp value';
  return (seenEcr | 0) === (ecr | 0) ? null : 'the timestamp echo';
}

function icmpDifference(spec: IcmpSpec, seen: SeenIcmp, mtuShift: number): string | null {
  const numbers = icmpNumbers(spec.type, spec.code, seen.family);
  if (numbers === null) return `the type: '${spec.type} ${spec.code ?? ''}' is not known`;
  if (numbers[0] !== seen.type) return 'the type';
  if (spec.code !== null && numbers[1] !== seen.code) return 'the code';
  if (spec.mtu !== null && spec.mtu + mtuShift !== seen.mtu) return 'the MTU';
  if (spec.quoted === null) return null;
  const protocol = spec.quoted.protocol === 'udp' ? IPPROTO_UDP : IPPROTO_TCP;
  if (protocol !== seen.quotedProtocol) return 'the quoted packet';
  return spec.quoted.protocol === 'udp' && spec.quoted.length !== seen.quotedLength
    ? 'the length of the quoted packet'
    : null;
}
