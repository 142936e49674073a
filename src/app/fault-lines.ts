/**
 * What layers do wrong, as lines for people. The application gets a code and no more; whoever wrote or installed the layer wants to know.
 */

import { emitWarning } from 'node:process';
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

/** The same as warnings of this process, which Node prints unless it is told otherwise. */
export function faultWarnings(): ReturnType<typeof faultLines> {
  return faultLines((line) => emitWarning(line, { code: 'WINSOCKD_LAYER_FAILED' }));
}
