/**
 * How the threads of a process find their one chain thread.
 *
 * The first thread that loads the blocking face makes a word of shared memory and leaves it in the environment data, which
 * threads that it starts inherit: whoever changes the word from `NONE` starts the chain thread, the others wait for it. Mailboxes
 * are made known on a broadcast channel. A thread whose parent never loaded the face has no such word; it asks on the channel,
 * and starts a chain thread of its own only when nobody answers. Best therefore to load the face in the main thread: a chain
 * thread ends with the thread that started it.
 *
 * Beside the word lie the chain thread's generation, one more for each that was started, and the system's number of the thread, by
 * which a caller sees that it has died without a word.
 */

import { existsSync, readlinkSync } from 'node:fs';
import { emitWarning } from 'node:process';

import {
  BroadcastChannel,
  getEnvironmentData,
  isMainThread,
  setEnvironmentData,
  Worker,
} from 'node:worker_threads';
import type { BehaviorProfile } from '../port/index.ts';
import type { Application } from '../spi/index.ts';
import { LayerWatch, loopLimit, watchMemory } from './chain-watch.ts';
import { type Mailbox, NEW } from './mailbox.ts';
import { ownApplication } from './own-application.ts';

/** The channel on which mailboxes are made known. */
export const CHANNEL = 'winsockd.chain';
/** Where the word lies in the environment data. */
const CONTROL_KEY = 'winsockd.chain.control';

/** Where what lies in the control memory, in words. */
const STATE = 0;
const GENERATION = 1;
const SYSTEM_THREAD = 2;
const CONTROL_LEN = 12;

/** Values of the word. */
const NONE = 0;
const STARTING = 1;
export const READY = 2;

/** How long a chain thread may take to start, and one that is there to take a mailbox, ms. */
const START_TIMEOUT = 30_000;
const ASK_TIMEOUT = 250;
const REGISTER_TIMEOUT = 10_000;

/** How often the chain thread is looked at, ms. */
const LOOK_INTERVAL = 1000;

/** What the chain thread is told when it is started. */
export interface ChainData {
  readonly control: SharedArrayBuffer;
  /** Where it notes which layer's code runs. */
  readonly watch?: SharedArrayBuffer;
  /** The daemon's socket; absent: where it is usually found. */
  readonly socketPath?: string | undefined;
  /** A module whose `sockets()` answers where the sockets live, by URL. */
  readonly module?: string | undefined;
  readonly profile?: BehaviorProfile | undefined;
  /** What the application is called in the provider catalog. */
  readonly application: Application;
}

/** A message on the channel: a mailbox to be served. */
export interface Registration {
  readonly mailbox: SharedArrayBuffer;
}

/** Reads a message of the channel, which anybody in the process can send on. */
export function readRegistration(message: unknown): SharedArrayBuffer | null {
  if (typeof message !== 'object' || message === null || !('mailbox' in message)) return null;
  return message.mailbox instanceof SharedArrayBuffer ? message.mailbox : null;
}

const inherited = getEnvironmentData(CONTROL_KEY);
const control: SharedArrayBuffer =
  inherited instanceof SharedArrayBuffer ? inherited : new SharedArrayBuffer(CONTROL_LEN);
const word = new Int32Array(control);
if (control !== inherited) setEnvironmentData(CONTROL_KEY, control);

/** Whether this thread cannot know of a chain thread that others use. */
let mayHaveMissedOne = control !== inherited && !isMainThread;

/** Whether a chain thread was started already, as far as this thread knows. */
export function isChainStarted(): boolean {
  return Atomics.load(word, STATE) !== NONE;
}

/**
 * Makes a mailbox known to the chain thread, which is started when there is none.
 * @returns whether it is served now
 */
export function register(mailbox: Mailbox, data: Omit<ChainData, 'control' | 'application'>): boolean {
  if (mayHaveMissedOne) {
    mayHaveMissedOne = false;
    if (announce(mailbox, ASK_TIMEOUT)) {
      Atomics.store(word, STATE, READY);
      return true;
    }
  }
  if (Atomics.compareExchange(word, STATE, NONE, STARTING) === NONE)
    start({ control, application: ownApplication(), ...data });
  if (Atomics.load(word, STATE) === STARTING) Atomics.wait(word, STATE, STARTING, START_TIMEOUT);
  return Atomics.load(word, STATE) === READY && announce(mailbox, REGISTER_TIMEOUT);
}

/** A message on the channel: memory to be reached by number, and a word that is set once it can be. */
export interface SharedMemory {
  readonly memory: SharedArrayBuffer;
  readonly number: number;
  readonly known: SharedArrayBuffer;
}

/** Reads such a message of the channel. */
export function readSharedMemory(message: unknown): SharedMemory | null {
  if (typeof message !== 'object' || message === null) return null;
  const { memory, number, known } = message as Partial<SharedMemory>;
  const isWhole = memory instanceof SharedArrayBuffer && known instanceof SharedArrayBuffer;
  return isWhole && typeof number === 'number' ? { memory, number, known } : null;
}

/** Makes memory known to the chain thread. @returns whether it can be reached there now */
export function shareMemory(memory: SharedArrayBuffer, number: number): boolean {
  const known = new SharedArrayBuffer(4);
  const channel = new BroadcastChannel(CHANNEL);
  const message: SharedMemory = { memory, number, known };
  channel.postMessage(message);
  channel.close();
  return Atomics.wait(new Int32Array(known), 0, 0, REGISTER_TIMEOUT) !== 'timed-out';
}

function announce(mailbox: Mailbox, timeout: number): boolean {
  // The channel is open for a moment only: a thread that sleeps would pile up what others say.
  const channel = new BroadcastChannel(CHANNEL);
  const registration: Registration = { mailbox: mailbox.memory };
  channel.postMessage(registration);
  channel.close();
  return mailbox.sleepWhile(NEW, timeout) !== NEW;
}

function start(data: ChainData): void {
  const watch = watchMemory();
  const workerData: ChainData = { ...data, watch };
  const worker = new Worker(chainThreadUrl(), {
    workerData,
    name: 'winsockd chain',
    execArgv: fileOptions(process.execArgv),
  });
  // The process ends when its own work is done, whatever sockets are open.
  worker.unref();
  const timer = setInterval(endLoopingChain, LOOK_INTERVAL);
  timer.unref();
  worker.on('exit', () => clearInterval(timer));
  started = { worker, watch: new LayerWatch(watch, loopLimit()), control: data.control };
}

/** The chain thread that this thread has started. */
let started: { worker: Worker; watch: LayerWatch; control: SharedArrayBuffer } | null = null;

/** Ends the chain thread when a layer loops in it; for the thread that has started it. What sleeps in calls learns it. */
export function endLoopingChain(): void {
  const looping = started?.watch.look(performance.now()) ?? null;
  if (started === null || looping === null) return;
  const { worker, control: memory } = started;
  started = null;
  void worker.terminate();
  setChainState(memory, false);
  emitWarning(`${looping}: its chain was ended, and all sockets with it`, { code: 'WINSOCKD_LAYER_LOOPS' });
}

/** Node's options without those of a program that is no file (`node --input-type=module -e …`): a Worker's is one. */
function fileOptions(options: readonly string[]): string[] {
  const isText = (option: string): boolean => /^(-[ep]+|--eval|--print)$/.test(option);
  return options.filter(
    (option, i) =>
      !isText(option) && !isText(options[i - 1] ?? '') && !/^--(input-type|eval|print)\b/.test(option),
  );
}

/** Sources cannot be run by a Worker: from `src/` the compiled file is used. */
function chainThreadUrl(): URL {
  const here = import.meta.url;
  const path = here.endsWith('.ts') ? '../../dist/app/chain-thread.js' : './chain-thread.js';
  return new URL(path, here);
}

/** Which chain thread there is: 0 none yet, then one more with each that was started. */
export function chainGeneration(): number {
  return Atomics.load(word, GENERATION);
}

/**
 * Whether a chain thread is gone.
 * @param isThorough asks the system, too, where it can tell: a thread that was killed has not said so
 */
export function hasChainEnded(generation: number, isThorough: boolean): boolean {
  if (Atomics.load(word, STATE) !== READY || chainGeneration() !== generation) return true;
  if (!isThorough) return false;
  const thread = Atomics.load(word, SYSTEM_THREAD);
  if (thread === 0 || existsSync(`/proc/self/task/${thread}`)) return false;
  Atomics.compareExchange(word, STATE, READY, NONE);
  return true;
}

/** Says that the chain thread is ready, or has ended. For the chain thread. */
export function setChainState(memory: SharedArrayBuffer, isReady: boolean): void {
  const words = new Int32Array(memory);
  if (isReady) {
    Atomics.store(words, SYSTEM_THREAD, ownSystemThread());
    Atomics.add(words, GENERATION, 1);
  }
  Atomics.store(words, STATE, isReady ? READY : NONE);
  Atomics.notify(words, STATE);
}

/** The system's number of this thread; 0 where it is not told. */
function ownSystemThread(): number {
  try {
    return Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0] ?? 0);
  } catch {
    return 0;
  }
}
