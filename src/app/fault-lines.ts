/**
 * What layers do wrong, as lines for people. The application gets a code and no more; whoever wrote or installed the layer wants to know.
 */

import { writeSync } from 'node:fs';
import { emitWarning, env, execArgv, pid } from 'node:process';
import { isMainThread } from 'node:worker_threads';
import type { ChainObserver, LayerFault, ProviderFailure } from '../spi/index.ts';

/** A layer may have as many reasons as it likes. */
const LINES_MAX = 100;

/** @param write gets each line once, however often it happens */
export function faultLines(write: (line: string) => void): Required<Pick<ChainObserver, 'failed' | 'fault'>> {
  const said = new Set<string>();
  const say = (line: string): void => {
    if (said.size >= LINES_MAX || said.has(line)) return;
    said.add(line);
    write(line);
  };
  return {
    failed: ({ entry, reason }: ProviderFailure) =>
      say(`the provider of "${entry.szProtocol}" could not be started: ${reason}`),
    fault: ({ layer, call, kind, detail }: LayerFault) =>
      say(`the layered provider ${layer} has failed in ${call} (${kind}): ${detail}`),
  };
}

const CODE = 'WINSOCKD_LAYER_FAILED';

/**
 * The same as warnings of this process, which Node prints unless it is told otherwise. A thread's own output comes when the main thread
 * lets it: one that blocks in calls never does, so the chain thread writes by itself.
 */
export function faultWarnings(): ReturnType<typeof faultLines> {
  if (isMainThread) return faultLines((line) => emitWarning(line, { code: CODE }));
  if (env['NODE_NO_WARNINGS'] === '1' || execArgv.includes('--no-warnings')) return faultLines(() => {});
  return faultLines((line) => {
    try {
      writeSync(2, `(winsockd:${pid}) [${CODE}] Warning: ${line}\n`);
    } catch {
      // Nobody reads it.
    }
  });
}
