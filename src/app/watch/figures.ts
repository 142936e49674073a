/**
 * What goes through each provider of a process, by socket: calls, errors, bytes and time, counted while somebody wants to know.
 *
 * It is not counted always. Two looks at the clock cost more than a call that is answered at once (0.1 µs of 0.2 µs), and a count that
 * nobody reads is for nothing; layers, whose calls are timed for the guard anyhow, keep theirs in `LayerRecord`.
 */

import { STATUS_PENDING, WSA_IO_PENDING, wsaOfNtStatus } from '../../abi/index.ts';
import type { Scheduler } from '../../base/index.ts';
import { overlappedPlace } from '../../layers/trace/index.ts';
import type { ChainFigures } from '../../port/index.ts';
import type { Answer, CallWatcher, ProviderCall, WatchedProvider, WSAOVERLAPPED } from '../../spi/index.ts';
import { bytesOf, directionOf, socketOf } from './call-sockets.ts';

/** Most rows: past them no socket is counted that was not before. */
export const MOST_ROWS = 16_384;
/** Most overlapped operations whose bytes are waited for. */
const MOST_PENDING = 16_384;

type Row = { -readonly [K in keyof ChainFigures]: ChainFigures[K] };

/** An open socket, and what its chain is made of. */
export interface OpenSocket {
  readonly s: number;
  readonly protocol: string;
  readonly chain: readonly WatchedProvider[];
}

export class Figures implements CallWatcher {
  readonly #scheduler: Scheduler;
  readonly #rows = new Map<WatchedProvider, Map<number, Row>>();
  /** The base provider's extension functions come with a record of their own: theirs, by name, depth and protocol. */
  readonly #alike = new Map<string, WatchedProvider>();
  readonly #pending = new Map<WSAOVERLAPPED, { readonly row: Row; readonly direction: number }[]>();
  #count = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  watch(provider: WatchedProvider, call: ProviderCall, args: readonly unknown[], make: () => Answer): Answer {
    const s = socketOf(call, args);
    const row = s === 0 ? null : this.#rowOf(provider, s);
    if (row === null) return make();
    const began = this.#scheduler.now();
    const answer = make();
    const spent = this.#scheduler.now() - began;
    row.calls++;
    row.busyUs += spent * 1000;
    if (typeof answer === 'number') {
      row.us += spent * 1000;
      this.#answered(row, call, args, answer);
    } else {
      answer.then(
        (late) => {
          row.us += (this.#scheduler.now() - began) * 1000;
          this.#answered(row, call, args, late);
        },
        () => {},
      );
    }
    return answer;
  }

  ended(lpOverlapped: WSAOVERLAPPED, answer: number): void {
    const waiting = this.#pending.get(lpOverlapped);
    if (waiting === undefined) return;
    this.#pending.delete(lpOverlapped);
    for (const { row, direction } of waiting) moved(row, direction, answer);
  }

  /** All rows: of the sockets that are open now, also those without a call, and of those that were. */
  rows(open: Iterable<OpenSocket>): ChainFigures[] {
    const names = new Map<number, string>();
    for (const { s, protocol, chain } of open) {
      names.set(s, protocol);
      for (const provider of chain) this.#rowOf(provider, s);
    }
    const rows: ChainFigures[] = [];
    for (const bySocket of this.#rows.values()) {
      for (const row of bySocket.values()) {
        const protocol = names.get(row.s) ?? row.protocol;
        rows.push({ ...row, protocol, us: Math.round(row.us), busyUs: Math.round(row.busyUs) });
      }
    }
    return rows.sort((a, b) => a.s - b.s || a.depth - b.depth);
  }

  #rowOf(asked: WatchedProvider, s: number): Row | null {
    const provider = this.#same(asked);
    let bySocket = this.#rows.get(provider);
    if (bySocket === undefined) {
      bySocket = new Map();
      this.#rows.set(provider, bySocket);
    }
    const known = bySocket.get(s);
    if (known !== undefined) return known;
    if (this.#count >= MOST_ROWS) return null;
    this.#count++;
    const { name, depth, chain } = provider;
    const figures = { calls: 0, errors: 0, bytesSent: 0, bytesReceived: 0, us: 0, busyUs: 0 };
    const row: Row = { s, protocol: chain.szProtocol, depth, layer: name, ...figures };
    bySocket.set(s, row);
    return row;
  }

  #same(provider: WatchedProvider): WatchedProvider {
    const { name, path, depth, chain } = provider;
    const key = `${depth} ${chain.dwCatalogEntryId} ${path} ${name}`;
    const known = this.#alike.get(key);
    if (known !== undefined) return known;
    this.#alike.set(key, provider);
    return provider;
  }

  #answered(row: Row, call: ProviderCall, args: readonly unknown[], answer: number): void {
    const direction = directionOf(call);
    if (answer === -WSA_IO_PENDING) {
      const place = overlappedPlace(call);
      const record = place === null ? null : ((args[place.record] ?? null) as WSAOVERLAPPED | null);
      if (record === null || typeof record !== 'object') return;
      if (record.Internal === STATUS_PENDING) this.#awaits(record, row, direction);
      else {
        const code = wsaOfNtStatus(record.Internal);
        moved(row, direction, code === 0 ? record.InternalHigh : -code);
      }
      return;
    }
    moved(row, direction, answer < 0 ? answer : bytesOf(call, args, answer));
  }

  #awaits(record: WSAOVERLAPPED, row: Row, direction: number): void {
    const waiting = this.#pending.get(record);
    if (waiting !== undefined) waiting.push({ row, direction });
    else if (this.#pending.size < MOST_PENDING) this.#pending.set(record, [{ row, direction }]);
  }
}

/** @param answer bytes, or minus a WSA code */
function moved(row: Row, direction: number, answer: number): void {
  if (answer < 0) row.errors++;
  else if (direction > 0) row.bytesSent += answer;
  else if (direction < 0) row.bytesReceived += answer;
}
