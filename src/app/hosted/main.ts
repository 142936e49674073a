#!/usr/bin/env node
/**
 * The provider host's executable: `winsockd-provider-host [--fd 3] [--socket PATH]`. Client libraries start it.
 *
 * Exit codes: 0 the application has gone, 1 the daemon or a provider has failed, 2 the arguments. It lives as long as its application: what a
 * terminal sends to both is the application's to answer.
 */

import { parseArgs } from 'node:util';
import { runProviderHost } from './provider-host.ts';

process.title = 'winsockd-provider-host';
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
// Providers may have left timers and files behind: the process ends all the same.
process.exit(await main());

async function main(): Promise<number> {
  let fd: number;
  let socketPath: string | undefined;
  try {
    const { values } = parseArgs({
      options: { fd: { type: 'string', default: '3' }, socket: { type: 'string' } },
    });
    fd = Number(values.fd);
    socketPath = values.socket;
    if (!Number.isInteger(fd) || fd < 0) throw new Error(`--fd ${values.fd} is no descriptor`);
  } catch (error) {
    return failed(error, 2);
  }
  return await runProviderHost({ fd, socketPath }).then(
    (isWell) => (isWell ? 0 : 1),
    (error: unknown) => failed(error, 1),
  );
}

function failed(error: unknown, code: number): number {
  process.stderr.write(`winsockd-provider-host: ${error instanceof Error ? error.message : String(error)}\n`);
  return code;
}
