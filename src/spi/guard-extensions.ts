/**
 * Extension functions of layers (CAT-LOAD-08): who fetches one by WSPIoctl is handed another, which contains what the layer's does.
 *
 * There is one for each function, however often it is fetched and the layer started anew: pointers are kept for good.
 */

import { guidAt, SIO_GET_EXTENSION_FUNCTION_POINTER } from '../abi/index.ts';
import { EXTENSION_IDS } from './base-extension-calls.ts';
import type { ExtensionFunctions } from './extensions.ts';
import { functionAt, readPointer, writePointer } from './function-pointers.ts';
import type { Answer } from './types.ts';

type AnyCall = (...args: readonly unknown[]) => Answer;
/** Lays the containment around a function. */
type Contain = (name: keyof ExtensionFunctions, call: AnyCall) => AnyCall;

/** Bytes of a pointer. */
const POINTER_LEN = 8;

export class ContainedExtensions {
  readonly #trusted: WeakSet<object>;
  /** By the layer's function: what is handed out, and whom it calls now. */
  readonly #known = new WeakMap<object, { readonly handedOut: AnyCall; contained: AnyCall }>();

  /** @param trusted functions that need no containment; what is handed out becomes one of them */
  constructor(trusted: WeakSet<object>) {
    this.#trusted = trusted;
  }

  /** A WSPIoctl has succeeded: the pointer of a layer's function becomes that of the contained one. */
  handOut(args: readonly unknown[], contain: Contain): void {
    const [, code, id, , into] = args;
    if (code !== SIO_GET_EXTENSION_FUNCTION_POINTER || !(id instanceof Uint8Array)) return;
    if (!(into instanceof Uint8Array) || into.length < POINTER_LEN) return;
    const name = EXTENSION_IDS.get(guidAt(id) ?? '');
    const call = functionAt(readPointer(into)) as AnyCall | null;
    // That one only reads a buffer; who needs it has it from ws2_32.
    if (name === undefined || name === 'GetAcceptExSockaddrs') return;
    if (call === null || this.#trusted.has(call)) return;
    const known = this.#known.get(call);
    const contained = contain(name, call);
    if (known !== undefined) {
      known.contained = contained;
      writePointer(into, 0, known.handedOut);
      return;
    }
    const entry = { contained, handedOut: (...more: readonly unknown[]) => entry.contained(...more) };
    this.#trusted.add(entry.handedOut);
    this.#known.set(call, entry);
    writePointer(into, 0, entry.handedOut);
  }
}
