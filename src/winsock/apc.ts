/**
 * Functions that wait for the application to wait alertably: Windows' asynchronous procedure calls.
 */

export class ApcQueue {
  readonly #queue: (() => void)[] = [];
  /** Called, each once, when something is added: waits that are alertable. */
  readonly waiters = new Set<() => void>();
  /** Blocking calls that wait: what is queued runs in them, too, and does not end them (SEM-BLK-03, SEM-SEL-14). */
  #blockingWaits = 0;

  /** Whether the loop of {@link run} is under way: it takes what is added meanwhile, so that none is nested (SEM-OV-10). */
  #isRunning = false;

  add(apc: () => void): void {
    this.#queue.push(apc);
    if (this.#isRunning) return;
    for (const wake of [...this.waiters]) wake();
    if (this.#blockingWaits > 0) this.run();
  }

  /** A blocking call begins to wait. */
  beginWait(): void {
    this.#blockingWaits++;
    if (this.waiters.size === 0) this.run();
  }

  /** It has ended. */
  endWait(): void {
    this.#blockingWaits--;
  }

  /**
   * Runs what is queued, oldest first, and what that queues. One that throws does not keep the others from their turn: its error
   * is nobody's to catch.
   * @returns whether there was anything
   */
  run(): boolean {
    const hasAny = this.#queue.length > 0;
    const isOutermost = !this.#isRunning;
    this.#isRunning = true;
    for (let apc = this.#queue.shift(); apc !== undefined; apc = this.#queue.shift()) {
      try {
        apc();
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    if (isOutermost) this.#isRunning = false;
    return hasAny;
  }

  clear(): void {
    this.#queue.length = 0;
  }
}
