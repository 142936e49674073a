/**
 * Windows without a screen: what Winsock's messages need of user32. A window belongs to a thread's message queue, and says no more
 * than where its messages go.
 */

import { type MSG, WM_QUIT } from '../abi/index.ts';

/** Posted messages that a queue holds, as on Windows; more are refused. */
const QUEUE_MAX = 10_000;
/** Windows of a process, as on Windows. */
const WINDOWS_MAX = 10_000;
/** Window handles are no handles of the process's table. */
const FIRST_WINDOW = 0x1_0000;
const WINDOW_STEP = 2;
/** The range of numbers that RegisterWindowMessage gives out. */
const FIRST_REGISTERED = 0xc000;
const LAST_REGISTERED = 0xffff;
/** `hWnd` of a GetMessage that wants the thread's own messages only. */
const THREAD_ONLY = -1;

/** Which messages a GetMessage or PeekMessage wants. */
export interface MessageFilter {
  /** 0: any window's and the thread's own. */
  readonly hWnd: number;
  /** Both 0: every number. */
  readonly min: number;
  readonly max: number;
}

/** Somebody who sleeps until a message is there. */
interface Waiter {
  readonly filter: MessageFilter;
  readonly take: (message: MSG) => void;
}

/** The messages of one thread. */
export class MessageQueue {
  #messages: MSG[] = [];
  readonly #waiters: Waiter[] = [];
  #quit: MSG | null = null;

  /** @returns false when it is full */
  post(message: MSG): boolean {
    const at = this.#waiters.findIndex(({ filter }) => matches(filter, message));
    const [waiter] = at < 0 ? [] : this.#waiters.splice(at, 1);
    if (waiter !== undefined) waiter.take(message);
    else if (this.#messages.length >= QUEUE_MAX) return false;
    else this.#messages.push(message);
    return true;
  }

  /** WM_QUIT comes when no other message waits, whatever is asked for. */
  quit(message: MSG): void {
    this.#quit = message;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter.take(this.#takeQuit(message, true));
  }

  /** The oldest message that passes; `null` when there is none. */
  peek(filter: MessageFilter, isRemoved: boolean): MSG | null {
    const at = this.#messages.findIndex((message) => matches(filter, message));
    const message = this.#messages[at];
    if (message === undefined) return this.#quit === null ? null : this.#takeQuit(this.#quit, isRemoved);
    if (isRemoved) this.#messages.splice(at, 1);
    return message;
  }

  /** The next message that passes; a promise when it is not there yet. */
  next(filter: MessageFilter): MSG | Promise<MSG> {
    const message = this.peek(filter, true);
    if (message !== null) return message;
    return new Promise((resolve) => {
      this.#waiters.push({ filter, take: resolve });
    });
  }

  /** Drops the messages of a window. */
  drop(hWnd: number): void {
    this.#messages = this.#messages.filter(({ hwnd }) => hwnd !== hWnd);
  }

  #takeQuit(message: MSG, isRemoved: boolean): MSG {
    if (isRemoved) this.#quit = null;
    return message;
  }
}

function matches({ hWnd, min, max }: MessageFilter, { hwnd, message }: MSG): boolean {
  if (hWnd !== 0 && hwnd !== (hWnd === THREAD_ONLY ? 0 : hWnd)) return false;
  return (min === 0 && max === 0) || (message >= min && message <= max);
}

/** Puts a message in the queue of a window. @returns whether the window exists and has room */
export type PostMessage = (hWnd: number, message: number, wParam: number, lParam: number) => boolean;

/** The windows of a process. */
export class Windows {
  /** The queue of the thread that loaded Winsock. */
  readonly main = new MessageQueue();
  readonly #queues = new Map<number, MessageQueue>();
  readonly #registered = new Map<string, number>();
  readonly #now: () => number;
  #lastWindow = FIRST_WINDOW;

  /** @param now ms, for the times of messages */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A window whose messages go to a queue. @returns its handle; 0 when there are too many */
  create(queue: MessageQueue): number {
    if (this.#queues.size >= WINDOWS_MAX) return 0;
    this.#lastWindow += WINDOW_STEP;
    this.#queues.set(this.#lastWindow, queue);
    return this.#lastWindow;
  }

  /** Ends a window of that queue, and its messages. @returns whether there was one */
  destroy(hWnd: number, queue: MessageQueue): boolean {
    if (this.#queues.get(hWnd) !== queue) return false;
    this.#queues.delete(hWnd);
    queue.drop(hWnd);
    return true;
  }

  /** A thread has ended, and its windows with it. */
  destroyAll(queue: MessageQueue): void {
    for (const [hWnd, owner] of this.#queues) if (owner === queue) this.#queues.delete(hWnd);
  }

  has(hWnd: number): boolean {
    return this.#queues.has(hWnd);
  }

  /** Whether a window is that queue's. */
  isOf(hWnd: number, queue: MessageQueue): boolean {
    return this.#queues.get(hWnd) === queue;
  }

  /** Posts a message to a window. @returns whether it exists and its queue has room */
  post(hWnd: number, message: number, wParam: number, lParam: number): boolean {
    const queue = this.#queues.get(hWnd);
    return queue?.post(this.#message(hWnd, message, wParam, lParam)) ?? false;
  }

  /** Posts a message to a thread. @returns whether its queue has room */
  postTo(queue: MessageQueue, message: number, wParam: number, lParam: number): boolean {
    return queue.post(this.#message(0, message, wParam, lParam));
  }

  /** Asks a thread's message loop to end. */
  quit(queue: MessageQueue, exitCode: number): void {
    queue.quit(this.#message(0, WM_QUIT, exitCode, 0));
  }

  /** The number of a named message, the same for everybody; 0 when there are too many. */
  register(name: string): number {
    const key = name.toLowerCase();
    const known = this.#registered.get(key);
    if (known !== undefined) return known;
    const number = FIRST_REGISTERED + this.#registered.size;
    if (number > LAST_REGISTERED) return 0;
    this.#registered.set(key, number);
    return number;
  }

  #message(hwnd: number, message: number, wParam: number, lParam: number): MSG {
    return { hwnd, message, wParam, lParam, time: Math.floor(this.#now()) >>> 0 };
  }
}
