/**
 * A socket of the application's that layers stand above: what the host keeps of it beside its handle.
 */

import { SIO_BASE_HANDLE } from '../../abi/index.ts';
import { i32le } from '../../base/index.ts';
import type { StartedProvider, WSPPROC_TABLE } from '../../spi/index.ts';
import type { EventState } from './socket-events.ts';

export class ChainSocket {
  /** How the application knows it. */
  readonly descriptor: number;
  /** The SOCKET on top of the chain. */
  readonly handle: number;
  readonly provider: StartedProvider;
  readonly isStream: boolean;
  /** Made non-blocking by this application; one that it shares may be so without our knowledge. */
  isNonBlocking = false;
  isListening = false;
  /** The listener whose connection AcceptEx has given it, by its handle; 0: none. */
  acceptedFrom = 0;
  /** The handle of the socket below all layers; 0: not known. */
  baseHandle = 0;
  readonly events: EventState;
  /** Polls that wait for it, to be told of its end. */
  readonly closing = new Set<() => void>();

  constructor(
    descriptor: number,
    handle: number,
    provider: StartedProvider,
    isStream: boolean,
    events: EventState,
  ) {
    this.descriptor = descriptor;
    this.handle = handle;
    this.provider = provider;
    this.isStream = isStream;
    this.events = events;
  }

  get table(): WSPPROC_TABLE {
    return this.provider.table;
  }

  /** Asks the chain for the handle of the socket below all layers. */
  async findBase(): Promise<void> {
    if (this.baseHandle !== 0) return;
    const out = new Uint8Array(8);
    const { table, handle } = this;
    const answer = await table.WSPIoctl(handle, SIO_BASE_HANDLE, null, 0, out, out.length, null, null, null);
    this.baseHandle = answer === out.length ? i32le(out, 0) : 0;
  }
}
