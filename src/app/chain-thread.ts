/**
 * The chain thread's main: one in a process, it owns the providers and, embedded, the stack. Started by `chain-control`.
 */

import process from 'node:process';
import { BroadcastChannel, workerData } from 'node:worker_threads';
import { type Windows, WinsockProcess, winsockOf } from '../winsock/index.ts';
import { type AttachOptions, attach, type LocalSockets } from './attach.ts';
import {
  CHANNEL,
  type ChainData,
  readRegistration,
  readSharedMemory,
  setChainState,
} from './chain-control.ts';
import { ChainServer, type HostedWinsock } from './chain-server.ts';
import { layerClock, loopLimit, noteTurn } from './chain-watch.ts';
import { faultWarnings } from './fault-lines.ts';
import { IcmpCalls } from './icmp-calls.ts';
import { Mailbox } from './mailbox.ts';
import { letWatch } from './watch/let-watch.ts';

/** What a module that brings its own sockets exports. */
interface SocketsModule {
  readonly sockets?: () => LocalSockets | Promise<LocalSockets>;
}

/** How often within the watchdog's limit the event loop shows that it turns. */
const TURNS_A_LIMIT = 5;

const data = workerData as ChainData;
/** Layers are watched from outside: one that loops stops everything here. */
const watched = data.watch === undefined ? {} : layerClock(data.watch);
if (data.watch !== undefined) setInterval(noteTurn, loopLimit() / TURNS_A_LIMIT, data.watch).unref();
const observer = { ...faultWarnings(), ...watched };
/** Where the stack is: found once, for Winsock and for the ICMP helper API. */
let place: Promise<AttachOptions> | null = null;

function whereItIs(): Promise<AttachOptions> {
  place ??= optionsOf(data).catch((error: unknown) => {
    place = null;
    throw error;
  });
  return place;
}

async function open(windows: Windows): Promise<HostedWinsock> {
  const { port, names, catalog: catalogPort, watch, isOpen } = await attach(await whereItIs(), true);
  const { profile, application } = data;
  const hosted = new WinsockProcess({ port, names, catalogPort, application, windows, profile, observer });
  letWatch(hosted, watch);
  return { process: hosted, winsock: winsockOf(hosted), isOpen };
}

async function optionsOf({ module, socketPath }: ChainData): Promise<AttachOptions> {
  if (module === undefined) return socketPath === undefined ? {} : { socketPath };
  const { sockets }: SocketsModule = await import(module);
  if (sockets === undefined) throw new TypeError(`${module} exports no function named sockets`);
  return { local: await sockets() };
}

const server = new ChainServer(open, new IcmpCalls(whereItIs));
const channel = new BroadcastChannel(CHANNEL);
// Listening keeps this thread alive; the process ends without asking it.
channel.onmessage = (message: unknown): void => {
  if (typeof message !== 'object' || message === null || !('data' in message)) return;
  const memory = readRegistration(message.data);
  if (memory !== null) void server.serve(new Mailbox(memory));
  const shared = readSharedMemory(message.data);
  if (shared === null) return;
  server.memories.add(shared.number, shared.memory);
  const known = new Int32Array(shared.known);
  Atomics.store(known, 0, 1);
  Atomics.notify(known, 0);
};

process.on('uncaughtException', (error) => {
  console.error(error);
  process.exit(1);
});

process.on('exit', () => {
  setChainState(data.control, false);
  server.abandon();
});

setChainState(data.control, true);
