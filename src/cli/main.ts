#!/usr/bin/env node
/** The `winsockd` program. */

import { processContext } from './machine.ts';
import { run } from './program.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.abort());

// Whoever read our output has enough of it: `winsockd netstat | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), processContext(interruption.signal));
