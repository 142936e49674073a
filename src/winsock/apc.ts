/**
 * Functions that wait for the application to wait alertably: Windows' asynchronous procedure calls.
 */

export class ApcQueue {
  readonly #queue: (() => void)[] = [];
  /** Called, each once, when something is added: waits that are alertable. */
  readonly waiters = new Set<() => void>();

  add(apc: () => void): void {
    this.#queue.push(apc);
    for (const wake of [...this.waiters]) wake();
  }

  /** Runs what is queued now, oldest first. @returns whether there was anything */
  run(): boolean {
    const due = this.#queue.splice(0);
    for (const apc of due) apc();
    return due.length > 0;
  }

  clear(): void {
    this.#queue.length = 0;
  }
}
