/**
 * A watched process: switches the looking at its calls on and off as the daemon asks, and sends what was seen. One report is under way at
 * a time; while the daemon does not take it, calls are counted as missing rather than kept.
 */

import type { Scheduler } from '../../base/index.ts';
import { writeCalls, writeFigures } from '../../ipc/index.ts';
import { Watch, type WatchPort } from '../../port/index.ts';
import type { Answer, CallWatcher, ProviderCall, WatchedProvider, WSAOVERLAPPED } from '../../spi/index.ts';
import type { WinsockProcess } from '../../winsock/index.ts';
import { CallLog } from './call-log.ts';
import { Figures, type OpenSocket } from './figures.ts';

/** How long calls are gathered, ms: those that take longer are told twice, when they begin and when they end. */
const GATHER_MS = 20;
/** How often figures are sent while they are wanted, ms. */
const FIGURES_MS = 500;

export class ProcessWatch {
  readonly #process: WinsockProcess;
  readonly #port: WatchPort;
  readonly #timers: Pick<Scheduler, 'after'>;
  #wanted: number = Watch.nothing;
  #log: CallLog | null = null;
  #figures: Figures | null = null;
  #gathering: (() => void) | null = null;
  #telling: (() => void) | null = null;
  /** Reports go one after the other. */
  #sending: Promise<void> = Promise.resolve();
  #isSending = false;

  constructor(process: WinsockProcess, port: WatchPort, timers: Pick<Scheduler, 'after'>) {
    this.#process = process;
    this.#port = port;
    this.#timers = timers;
  }

  /** @param what bits of `Watch` */
  set(what: number): void {
    const before = this.#wanted;
    this.#wanted = what;
    this.#setCalls((what & Watch.calls) !== 0);
    const wantsFigures = (what & Watch.figures) !== 0;
    if (wantsFigures !== ((before & Watch.figures) !== 0)) this.#setFigures(wantsFigures);
    this.#process.tap.watcher = watcherOf(this.#log, this.#figures);
  }

  #setCalls(isWanted: boolean): void {
    if (isWanted === (this.#log !== null)) return;
    if (isWanted) {
      const { scheduler } = this.#process;
      this.#log = new CallLog(scheduler, Date.now() - scheduler.now(), () => this.#gather());
      return;
    }
    this.#gathering?.();
    this.#gathering = null;
    this.#log = null;
  }

  #setFigures(isWanted: boolean): void {
    this.#telling?.();
    this.#telling = null;
    if (isWanted) {
      this.#figures = new Figures(this.#process.scheduler);
      this.#tellSoon();
      return;
    }
    const last = this.#figures;
    this.#figures = null;
    if (last !== null) void this.#send(() => writeFigures(last.rows(this.#open()), true));
  }

  #gather(): void {
    this.#gathering ??= this.#timers.after(GATHER_MS, () => {
      this.#gathering = null;
      if (!this.#isSending) void this.#tellCalls();
    });
  }

  async #tellCalls(): Promise<void> {
    this.#isSending = true;
    for (let log = this.#log; log !== null && !log.isEmpty; log = this.#log) {
      const lost = log.hasMore ? 0 : log.cut();
      const from = log;
      const isTaken = await this.#send(() => writeCalls(lost, () => from.take()));
      if (!isTaken) {
        // The daemon is gone.
        this.set(Watch.nothing);
        break;
      }
      // A process that makes calls without a pause sends one report at a time: more would slow its sockets, which share the daemon.
      if (this.#gathering !== null) break;
    }
    this.#isSending = false;
    if (this.#log?.isEmpty === false) this.#gather();
  }

  #tellSoon(): void {
    this.#telling = this.#timers.after(FIGURES_MS, () => {
      const figures = this.#figures;
      if (figures === null) return;
      void this.#send(() => writeFigures(figures.rows(this.#open()), false)).then(() => {
        if (this.#figures === figures) this.#tellSoon();
      });
    });
  }

  /** @returns whether it was taken */
  #send(write: () => Uint8Array): Promise<boolean> {
    const sent = this.#sending.then(() => this.#port.report(write()));
    this.#sending = sent.then(() => {});
    return sent;
  }

  *#open(): Generator<OpenSocket> {
    for (const [s, { provider }] of this.#process.handles.sockets()) {
      yield { s, protocol: provider.entry.szProtocol, chain: provider.chain };
    }
  }
}

function watcherOf(log: CallLog | null, figures: Figures | null): CallWatcher | null {
  return log === null || figures === null ? (log ?? figures) : new Both(log, figures);
}

/** Two that look at the same time. */
class Both implements CallWatcher {
  readonly #outer: CallWatcher;
  readonly #inner: CallWatcher;

  constructor(outer: CallWatcher, inner: CallWatcher) {
    this.#outer = outer;
    this.#inner = inner;
  }

  watch(provider: WatchedProvider, call: ProviderCall, args: readonly unknown[], make: () => Answer): Answer {
    return this.#outer.watch(provider, call, args, () => this.#inner.watch(provider, call, args, make));
  }

  ended(lpOverlapped: WSAOVERLAPPED, answer: number): void {
    this.#outer.ended(lpOverlapped, answer);
    this.#inner.ended(lpOverlapped, answer);
  }
}
