/** What the containment of layers needs of the process that it is in. */

import type { Scheduler } from '../base/index.ts';
import type { CallTap, ProviderCall } from './call-tap.ts';
import type { ChainObserver, LayerFault, LayerRecord } from './chain-observer.ts';
import type { SocketModes } from './guard-rules.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';

/** Longest time that a call which may not wait can take, ms; more than a daemon that is hard at work needs. */
export const LAYER_LIMIT = 10_000;

/** What guards need of the process. */
export interface GuardHost extends SocketModes {
  readonly scheduler: Scheduler;
  readonly observer: ChainObserver;
  /** Where calls can be watched. */
  readonly tap: CallTap;
  /** The one table that providers are handed. */
  readonly upcalls: WSPUPCALLTABLE;
  readonly limit: number;
  /** The layer whose code runs; `null`: none does. */
  running: LayerRecord | null;
  /** The call that has promised its answer within the call that runs; `null`: none has. */
  waiting: WaitingCall | null;
  /** What a handle stands for; `null`: no socket. The same number stands for something else when it is given out again. */
  identify(s: number): object | null;
  /** A layer has failed with that socket. */
  failed(fault: LayerFault): void;
  /** A layer could not close a socket: it is closed below it. */
  closeBelow(s: number): void;
}

/** A call that has promised its answer. */
export interface WaitingCall {
  readonly layer: LayerRecord;
  readonly call: ProviderCall;
  /** The call of a layer below that has promised its own within it. */
  readonly below: WaitingCall | null;
  isAnswered: boolean;
}
