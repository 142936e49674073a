/**
 * What is undone when the daemon stops, or could not start: the last first.
 */

export class Undo {
  readonly #steps: (() => void | Promise<void>)[] = [];

  add(step: () => void | Promise<void>): void {
    this.#steps.push(step);
  }

  /** Runs all of them. One that throws does not keep the others from running. @returns what was thrown first */
  async run(): Promise<unknown> {
    let first: unknown = null;
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        first ??= error;
      }
    }
    return first;
  }
}
