/**
 * What a failing simulation leaves behind: its seed on the console, and every packet in a pcapng file under `.tmp/`.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import type { Pair } from './support.ts';

const FOLDER = new URL('../../.tmp/', import.meta.url);

/** Runs `body`; when it throws, writes what crossed the pair's wire and says where it is and how to repeat the run. */
export async function withCapture<T>(name: string, pair: Pair, body: () => Promise<T>): Promise<T> {
  const capture = pair.network.capture(pair.wire);
  try {
    return await body();
  } catch (error) {
    mkdirSync(FOLDER, { recursive: true });
    const file = new URL(`${name.replace(/[^\w.-]+/g, '-')}.pcapng`, FOLDER);
    writeFileSync(file, capture.bytes());
    (error as Error).message += `\nseed ${pair.network.seed}, packets in ${file.pathname}`;
    throw error;
  } finally {
    capture.close();
  }
}
