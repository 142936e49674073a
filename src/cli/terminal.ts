/**
 * Where commands write, and whom they listen to. Handed in, so that a test reads what a user would.
 */

export interface Terminal {
  out(text: string): void;
  /** Raw bytes to standard output. @returns false when nobody reads any more. */
  outBytes(bytes: Uint8Array): boolean;
  err(text: string): void;
  /** Whether standard output understands colour; never when it is piped. */
  readonly hasColor: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Calls `handler` when the user interrupts (once) or the output is gone. @returns what stops listening */
  onInterrupt(handler: () => void): () => void;
}

/** The process's own terminal. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  let isGone = false;
  const goneHandlers = new Set<() => void>();
  stdout.on('error', () => {
    isGone = true;
    for (const handler of goneHandlers) handler();
  });
  return {
    out: (text) => void stdout.write(text),
    outBytes: (bytes) => {
      if (!isGone) stdout.write(bytes);
      return !isGone;
    },
    err: (text) => void stderr.write(text),
    // https://no-color.org: set to anything but the empty string.
    hasColor: stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '',
    environment: env,
    onInterrupt(handler) {
      const once = (): void => {
        stop();
        handler();
      };
      const stop = (): void => {
        process.off('SIGINT', once);
        process.off('SIGTERM', once);
        goneHandlers.delete(once);
      };
      process.once('SIGINT', once);
      process.once('SIGTERM', once);
      goneHandlers.add(once);
      return stop;
    },
  };
}
