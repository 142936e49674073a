/**
 * Who watches which process: passes the reports of clients on to those that asked for them, and tells the clients what is wanted.
 *
 * A process is asked for nothing while nobody watches it. A reader that is slow holds the process's reports back, which then counts the
 * calls that it cannot tell; one that does not read at all is let go.
 */

import { NO_ERROR, WSAEINVAL } from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import { readReport } from '../ipc/index.ts';
import {
  type CallRecord,
  type ChainFigures,
  type ProcessStatus,
  Watch,
  type WatchedClient,
  type WatchSession,
} from '../port/index.ts';

/** Takes what the clients of a process report. */
export interface CallReader {
  /** Calls, and how many are missing before them. @param client which of the process's connections has made them */
  calls(client: number, lost: number, calls: readonly CallRecord[]): void;
  /** When it can take more; `null`: now. */
  whenReady(): Promise<void> | null;
  /** No client of the process is left. */
  gone(): void;
}

/** What a process's clients have told when figures were asked for. */
export interface ProcessFigures {
  readonly rows: readonly (ChainFigures & { readonly client: number })[];
  readonly omitted: number;
}

/** How long a client may take to tell its last figures, ms. */
const LAST_FIGURES_MS = 1000;

/** One that figures are waited for. */
class FiguresReader {
  readonly rows = new Map<number, { readonly rows: readonly ChainFigures[]; readonly omitted: number }>();
  /** Clients whose last figures are to come. */
  readonly missing = new Set<number>();
  onComplete: () => void = () => {};
}

class Client implements WatchSession {
  readonly id: number;
  readonly pid: number;
  readonly uid: number;
  readonly name: string;
  wanted: number = Watch.nothing;
  readonly #watches: Watches;
  readonly #client: WatchedClient;

  constructor(watches: Watches, id: number, client: WatchedClient) {
    this.#watches = watches;
    this.id = id;
    this.pid = client.identity.pid;
    this.uid = client.identity.uid;
    this.name = client.name;
    this.#client = client;
  }

  want(what: number): void {
    if (what === this.wanted) return;
    this.wanted = what;
    this.#client.want(what);
  }

  async report(bytes: Uint8Array): Promise<number> {
    return this.#watches.reported(this, bytes);
  }

  close(): void {
    this.#watches.left(this);
  }
}

export class Watches {
  readonly #scheduler: Scheduler;
  readonly #clients = new Set<Client>();
  readonly #calls = new Map<number, Set<CallReader>>();
  readonly #figures = new Map<number, Set<FiguresReader>>();
  #lastId = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The processes that can be watched. */
  get processes(): readonly ProcessStatus[] {
    const found = new Map<number, ProcessStatus>();
    for (const { pid, uid: own, name, wanted } of this.#clients) {
      const known = found.get(pid);
      // Connected as two users: only root may see both.
      const uid = known === undefined || known.uid === own ? own : 0;
      const isWatched = wanted !== Watch.nothing || known?.isWatched === true;
      found.set(pid, { pid, uid, name, connections: (known?.connections ?? 0) + 1, isWatched });
    }
    return [...found.values()];
  }

  /** A client has come that tells of its calls when it is asked. */
  open(client: WatchedClient): WatchSession {
    const joined = new Client(this, ++this.#lastId, client);
    this.#clients.add(joined);
    this.#tell(joined);
    return joined;
  }

  /** Tells `reader` of the calls of a process from now on. @returns what ends it */
  watch(pid: number, reader: CallReader): () => void {
    const readers = this.#calls.get(pid) ?? new Set();
    readers.add(reader);
    this.#calls.set(pid, readers);
    this.#tellAll(pid);
    return () => {
      if (!readers.delete(reader)) return;
      if (readers.size === 0 && this.#calls.get(pid) === readers) this.#calls.delete(pid);
      this.#tellAll(pid);
    };
  }

  /** What goes through the chains of a process from now on. @param ended settles when it is enough */
  async figures(pid: number, ended: Promise<void>): Promise<ProcessFigures> {
    const reader = new FiguresReader();
    const readers = this.#figures.get(pid) ?? new Set();
    readers.add(reader);
    this.#figures.set(pid, readers);
    this.#tellAll(pid);
    await ended;
    readers.delete(reader);
    if (readers.size === 0) {
      this.#figures.delete(pid);
      const last = this.#lastOf(reader, pid);
      this.#tellAll(pid);
      await last;
    }
    const rows = [...reader.rows].flatMap(([client, told]) => told.rows.map((row) => ({ ...row, client })));
    const omitted = [...reader.rows.values()].reduce((sum, told) => sum + told.omitted, 0);
    return { rows, omitted };
  }

  async reported(client: Client, bytes: Uint8Array): Promise<number> {
    const report = readReport(bytes);
    if (report === null) return WSAEINVAL;
    if (report.kind === 'figures') {
      const { rows, omitted, isLast } = report;
      for (const reader of this.#figures.get(client.pid) ?? []) reader.rows.set(client.id, { rows, omitted });
      if (isLast) this.#told(client, { rows, omitted });
      return NO_ERROR;
    }
    const { lost, calls } = report;
    for (const reader of [...(this.#calls.get(client.pid) ?? [])]) {
      reader.calls(client.id, lost, calls);
      await reader.whenReady();
    }
    return NO_ERROR;
  }

  left(client: Client): void {
    if (!this.#clients.delete(client)) return;
    for (const reader of this.#ending) this.#isComplete(reader, client.id);
    if ([...this.#clients].some(({ pid }) => pid === client.pid)) return;
    const readers = this.#calls.get(client.pid);
    // The number may be another process's next.
    this.#calls.delete(client.pid);
    for (const reader of readers ?? []) reader.gone();
  }

  /** Readers that wait for last figures. */
  readonly #ending = new Set<FiguresReader>();

  #lastOf(reader: FiguresReader, pid: number): Promise<void> {
    for (const client of this.#clients) if (client.pid === pid) reader.missing.add(client.id);
    if (reader.missing.size === 0) return Promise.resolve();
    this.#ending.add(reader);
    return new Promise((resolve) => {
      const cancel = this.#scheduler.after(LAST_FIGURES_MS, () => reader.onComplete());
      reader.onComplete = () => {
        cancel();
        this.#ending.delete(reader);
        resolve();
      };
    });
  }

  #told(client: Client, figures: { readonly rows: readonly ChainFigures[]; readonly omitted: number }): void {
    for (const reader of [...this.#ending]) {
      if (!reader.missing.has(client.id)) continue;
      reader.rows.set(client.id, figures);
      this.#isComplete(reader, client.id);
    }
  }

  #isComplete(reader: FiguresReader, client: number): void {
    reader.missing.delete(client);
    if (reader.missing.size === 0) reader.onComplete();
  }

  #tellAll(pid: number): void {
    for (const client of this.#clients) if (client.pid === pid) this.#tell(client);
  }

  #tell(client: Client): void {
    const wantsCalls = this.#calls.has(client.pid) ? Watch.calls : Watch.nothing;
    const wantsFigures = this.#figures.has(client.pid) ? Watch.figures : Watch.nothing;
    client.want(wantsCalls | wantsFigures);
  }
}
