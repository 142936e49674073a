/**
 * A packet script, read: options, then events in the order of the file.
 */

export interface Script {
  readonly file: string;
  readonly options: readonly ScriptOption[];
  readonly events: readonly ScriptEvent[];
}

/** `--name=value`. */
export interface ScriptOption {
  readonly line: number;
  readonly name: string;
  readonly value: string;
}

export interface ScriptEvent {
  readonly line: number;
  readonly time: EventTime;
  readonly action: Action;
}

/** When: seconds in the script, milliseconds here. */
export interface EventTime {
  /** From the start of the script, from the event before, or at any time after it. */
  readonly kind: 'absolute' | 'relative' | 'any';
  readonly from: number;
  /** Latest; equal to `from` unless a range was given. */
  readonly to: number;
}

export type Action = PacketAction | CallAction | CodeAction | CommandAction;

/** `<` or `>` and a packet. */
export interface PacketAction {
  readonly kind: 'packet';
  readonly isInbound: boolean;
  /** Which connection: `@2` after the arrow. 0: the one under test. */
  readonly flow: number;
  readonly packet: PacketSpec;
}

export type PacketSpec = TcpSpec | UdpSpec | IcmpSpec;

export type EcnSpec = 'noecn' | 'ect0' | 'ect1' | 'ect01' | 'ce';

export interface TcpSpec {
  readonly protocol: 'tcp';
  /** `null`: not said. */
  readonly ecn: EcnSpec | null;
  /** Letters of FSRPUEWA and `.` for ACK, sorted as written; a digit of the ACE field is its letters here. */
  readonly flags: string;
  readonly seq: number;
  readonly endSeq: number;
  readonly length: number;
  readonly ack: number | null;
  readonly window: number | null;
  readonly urgent: number | null;
  /** `null` for `<...>`: any. */
  readonly options: readonly TcpOptionSpec[] | null;
}

export type TcpOptionSpec =
  | { readonly kind: 'nop' | 'eol' | 'sackOK' }
  | { readonly kind: 'mss' | 'wscale'; readonly value: number }
  | { readonly kind: 'TS'; readonly val: number; readonly ecr: number }
  | { readonly kind: 'ECN'; readonly fields: readonly (readonly [EcnField, number])[] }
  | { readonly kind: 'sack'; readonly blocks: readonly (readonly [number, number])[] }
  /** Fast Open (RFC 7413), by its own number or the experimental one; an empty cookie asks for one. */
  | { readonly kind: 'FO' | 'FOEXP'; readonly cookie: readonly number[] };

/** Fields of the AccECN option. */
export type EcnField = 'e0b' | 'ceb' | 'e1b';

export interface UdpSpec {
  readonly protocol: 'udp';
  readonly length: number;
}

export interface IcmpSpec {
  readonly protocol: 'icmp';
  readonly type: string;
  readonly code: string | null;
  readonly mtu: number | null;
  /** What the error is about: a TCP range or a UDP datagram's length. */
  readonly quoted:
    | { readonly protocol: 'tcp'; readonly seq: number; readonly endSeq: number; readonly length: number }
    | UdpSpec
    | null;
}

/** A system call and its expected outcome. */
export interface CallAction {
  readonly kind: 'call';
  /** When a call that blocks returns, as an offset from the same base as its start; `null`: at once. */
  readonly end: number | null;
  readonly name: string;
  readonly args: readonly Expression[];
  readonly result: Expression;
  /** `EINPROGRESS`, … or `null`. */
  readonly errno: string | null;
}

export type Expression =
  | { readonly kind: 'any' }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'word'; readonly name: string }
  | { readonly kind: 'string'; readonly text: string; readonly isPrefix: boolean }
  | { readonly kind: 'or'; readonly parts: readonly Expression[] }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'struct'; readonly fields: readonly StructField[] };

/** `name=value`, or a value alone. */
export interface StructField {
  readonly name: string | null;
  readonly value: Expression;
}

/** `%{ … }%` */
export interface CodeAction {
  readonly kind: 'code';
  readonly text: string;
}

/** Back-quoted: a shell command, which is not run. */
export interface CommandAction {
  readonly kind: 'command';
  readonly text: string;
}
