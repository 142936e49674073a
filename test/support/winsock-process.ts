/**
 * Winsock in a process of its own, told what to do by the test: for sockets that are shared between processes, or whose
 * process dies.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { compileRooms } from './compiled.ts';

/** A process that has started Winsock over a daemon's socket. */
export interface WinsockChild {
  readonly pid: number;
  /**
   * Runs a function body in the child; it sees `ws` (the calls), `abi` (the numbers), `name(address, port)`, `kept` (an object that
   * lasts) and `given`.
   * @returns what it returns, through JSON
   */
  run<T>(body: string, given?: unknown): Promise<T>;
  /** Ends it with SIGKILL, whatever it does. */
  kill(): Promise<void>;
}

const MAIN = `
  import { createInterface } from 'node:readline';
  import * as abi from './abi/index.js';
  import { IpAddress } from './base/index.js';
  import { connectRemote } from './ipc/index.js';
  import { createWinsock, MAKEWORD } from './winsock/index.js';
  const port = await connectRemote(process.argv[2]);
  const ws = createWinsock({ port });
  const data = { wVersion: 0, wHighVersion: 0, iMaxSockets: 0, iMaxUdpDg: 0, szDescription: '', szSystemStatus: '' };
  await ws.WSAStartup(MAKEWORD(2, 2), data);
  const name = (address, number) => abi.sockaddrOf(IpAddress.parse(address), number);
  const kept = {};
  const AsyncFunction = (async () => {}).constructor;
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, body, given } = JSON.parse(line);
    new AsyncFunction('ws', 'abi', 'name', 'kept', 'given', body)(ws, abi, name, kept, given).then(
      (value) => console.log(JSON.stringify({ id, value })),
      (error) => console.log(JSON.stringify({ id, error: String(error.stack) })),
    );
  }
`;

/** The rooms that such a process is made of, compiled. */
export function compileWinsock(): string {
  const rooms = compileRooms('ipc', 'winsock');
  writeFileSync(join(rooms, 'child.mjs'), MAIN);
  return rooms;
}

/** @param rooms of {@link compileWinsock} @param path the daemon's socket */
export function startChild(rooms: string, path: string): WinsockChild {
  const main = pathToFileURL(join(rooms, 'child.mjs')).pathname;
  const child: ChildProcess = spawn(process.execPath, [main, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const { stdin, stdout, pid } = child;
  if (stdin === null || stdout === null || pid === undefined) throw new Error('the child did not start');
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      for (const { reject } of waiting.values()) reject(new Error('the child has ended'));
      resolve();
    });
  });
  createInterface({ input: stdout }).on('line', (line) => {
    const { id, value, error } = JSON.parse(line);
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(value as never);
    else asked?.reject(new Error(error));
  });
  let lastId = 0;
  return {
    pid,
    run<T>(body: string, given: unknown = null): Promise<T> {
      const id = ++lastId;
      return new Promise<T>((resolve, reject) => {
        waiting.set(id, { resolve: resolve as (value: never) => void, reject });
        stdin.write(`${JSON.stringify({ id, body, given })}\n`);
      });
    },
    kill() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}
