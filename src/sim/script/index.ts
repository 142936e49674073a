/**
 * Packet scripts: packetdrill's language, in virtual time, against a stack of this project.
 *
 *     // RFC 9293 §3.5: a connection is opened to us
 *     0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
 *     +0  bind(3, ..., ...) = 0
 *     +0  listen(3, 1) = 0
 *     +0  < S 0:0(0) win 32792 <mss 1000>
 *     +0  > S. 0:0(0) ack 1 <...>
 *     +.1 < . 1:1(0) ack 1 win 32792
 *     +0  accept(3, ..., ...) = 4
 *
 * Sequence numbers count from the initial ones, timestamps from the first; both lie anywhere on the wire. Bytes are a pattern,
 * and are compared: what `read` gives, and what the host sends.
 */

import type { IpFamily } from '../../base/index.ts';
import { parseScript } from './parser.ts';
import { ScriptRun, type TraceLine } from './runner.ts';
import { ScriptError, UnsupportedError } from './script-error.ts';

export type { TraceLine } from './runner.ts';
export { ScriptError } from './script-error.ts';

export interface ScriptOptions {
  /** The file's name, for messages. Default `script`. */
  readonly name?: string;
  /**
   * The script was written for a kernel: its `sysctl` commands set what there is here, and what is a kernel's own habit
   * (PSH, the order of options) is not compared. Default false.
   */
  readonly isKernel?: boolean;
  /**
   * What a script without `--ip_version` runs over. Default 4. Over IPv6 every MTU that it names is 20 larger, which is what the header
   * takes more: segments are as long in either.
   */
  readonly family?: IpFamily;
}

export interface ScriptResult {
  readonly name: string;
  readonly passed: boolean;
  /** The first thing that was not as expected; `null` when all was. */
  readonly error: ScriptError | null;
  /** The script asks for something that does not exist here (a call, an option of a kernel): it was not judged. */
  readonly isUnsupported: boolean;
  /** What the script asks for and has no meaning here, and packets sent after its end. */
  readonly notes: readonly string[];
  /** Every packet, both ways. */
  readonly trace: readonly TraceLine[];
  /** How much virtual time passed, ms. */
  readonly duration: number;
}

/** Reads and runs a script. Never throws for what a script says: see `error`. */
export function runScript(text: string, options: ScriptOptions = {}): ScriptResult {
  const name = options.name ?? 'script';
  let run: ScriptRun | null = null;
  let error: ScriptError | null = null;
  try {
    run = new ScriptRun(parseScript(text, name), options.isKernel, options.family);
    run.run();
  } catch (thrown) {
    if (!(thrown instanceof ScriptError)) throw thrown;
    error = thrown;
  }
  return {
    name,
    passed: error === null,
    error,
    isUnsupported: error instanceof UnsupportedError,
    notes: run?.notes ?? [],
    trace: run?.trace ?? [],
    duration: run?.now ?? 0,
  };
}

/** A trace as lines of text in the script's syntax, times in seconds. */
export function formatTrace(trace: readonly TraceLine[]): string {
  return trace.map(({ at, direction, text }) => `${(at / 1000).toFixed(6)} ${direction} ${text}`).join('\n');
}
