/**
 * What `defineLayer` takes, and what it tells a layer. Types only.
 */

import type { WSAPROTOCOL_INFO } from '../abi/index.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';
import type { Ws2Exports } from './ws2-exports.ts';

/** What a layer knows of where it stands. There is one for each chain of it that is started. */
export interface Layer {
  /** The chain's entry, as applications see it. */
  readonly chain: WSAPROTOCOL_INFO;
  /** The entry in the chain that is this layer, and the one below it. */
  readonly entry: WSAPROTOCOL_INFO;
  readonly below: WSAPROTOCOL_INFO;
  /** ws2_32, by the table that the layer was handed and by what it exports. */
  readonly upcalls: WSPUPCALLTABLE;
  readonly ws2: Ws2Exports;
}

/**
 * The calls that a layer makes itself. They are members that hold functions, where the table has methods: of a method TypeScript lets a
 * parameter be narrower than what callers may give (`name: Uint8Array` where null may come).
 */
export type OwnCalls = {
  [Name in keyof WSPPROC_TABLE]?: (
    ...args: Parameters<WSPPROC_TABLE[Name]>
  ) => ReturnType<WSPPROC_TABLE[Name]>;
};

/**
 * Makes a layer's calls.
 * @param next the calls of the provider below
 * @returns those that the layer makes itself; the others are `next`'s
 */
export type LayerCalls = (next: WSPPROC_TABLE, layer: Layer) => OwnCalls;

export interface LayerOptions {
  /** For people; the module's path when absent. */
  readonly name?: string;
  /** Whose handles applications get: those of the base provider, or the layer's. */
  readonly handles?: 'system' | 'own';
}
