/**
 * What a layer says about a connection, held to its contract: whatever a plan or a codec does, the connection fails with a WSA code, and
 * nothing else. What it did wrong is told at the diagnostics channel `winsockd:streams`.
 */

import { channel } from 'node:diagnostics_channel';
import { WSAECONNABORTED } from '../../abi/index.ts';
import type { Codec, Pipe, StreamPlan } from './contract.ts';

/** What a plan or a codec did that its contract forbids. */
export interface StreamFault {
  /** `prepare`, `open`, `read`, `write`, `end` or `destroy`. */
  readonly call: string;
  /** What was thrown, or answered. */
  readonly detail: string;
}

const faults = channel('winsockd:streams');

/** Minus the code of a connection whose codec cannot be trusted. */
const BROKEN = -WSAECONNABORTED;

/** Runs `prepare`. @returns 0 or more, or minus a WSA code */
export function prepared(plan: StreamPlan): Promise<number> {
  return answered('prepare', () => plan.prepare?.() ?? 0, Number.MAX_SAFE_INTEGER);
}

/** Runs `open`. @returns a codec that keeps its contract, or minus a WSA code */
export async function openedBy(plan: StreamPlan, pipe: Pipe): Promise<Codec | number> {
  try {
    const opened: unknown = await plan.open(pipe);
    if (isCodec(opened)) return new ContainedCodec(opened);
    if (typeof opened === 'number' && Number.isSafeInteger(opened) && opened < 0) return opened;
    return fault('open', opened);
  } catch (thrown) {
    return fault('open', thrown);
  }
}

class ContainedCodec implements Codec {
  readonly #codec: Codec;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  read(into: Uint8Array): Promise<number> {
    return answered('read', () => this.#codec.read(into), into.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    return answered('write', () => this.#codec.write(bytes), bytes.length);
  }

  end(): Promise<number> {
    return answered('end', () => this.#codec.end(), 0);
  }

  destroy(): void {
    try {
      this.#codec.destroy();
    } catch (thrown) {
      fault('destroy', thrown);
    }
  }
}

/** Makes a call that answers a number of at most `most`. */
async function answered(call: string, make: () => unknown, most: number): Promise<number> {
  try {
    const answer = await make();
    return typeof answer === 'number' && Number.isSafeInteger(answer) && answer <= most
      ? answer
      : fault(call, answer);
  } catch (thrown) {
    return fault(call, thrown);
  }
}

function isCodec(opened: unknown): opened is Codec {
  if (typeof opened !== 'object' || opened === null) return false;
  const { read, write, end, destroy } = opened as Partial<Codec>;
  return [read, write, end, destroy].every((member) => typeof member === 'function');
}

function fault(call: string, what: unknown): number {
  const detail = what instanceof Error ? what.message : String(what);
  const told: StreamFault = { call, detail };
  if (faults.hasSubscribers) faults.publish(told);
  return BROKEN;
}
