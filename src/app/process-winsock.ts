/**
 * The Winsock of this process: one for all its modules, attached when it is first needed.
 */

import { Windows, type Winsock, WinsockProcess, winsockOf } from '../winsock/index.ts';
import { AlreadyAttachedError, type Attachment, type AttachOptions, attach } from './attach.ts';
import { faultWarnings } from './fault-lines.ts';
import { ownApplication } from './own-application.ts';
import { letWatch } from './watch/let-watch.ts';

/** The windows of this process's promising face: they need no attachment. */
export const processWindows = new Windows();

let options: AttachOptions = {};
let opening: Promise<Winsock> | null = null;
let opened: Winsock | null = null;
let process: WinsockProcess | null = null;
let attachment: Attachment | null = null;
/** Of the starts of {@link opened} one is that of the modules in Node's shape, which nobody undoes. */
let hasOwnStart = false;

/**
 * Says where the sockets of this process live; to be called before the first use. Without it they live in the daemon.
 * @throws {AlreadyAttachedError} when the process is attached already
 */
export function attachTo(choice: AttachOptions): void {
  if (opening !== null) throw new AlreadyAttachedError(attachment?.where ?? 'what was chosen');
  options = choice;
}

/** Where {@link attachTo} said that the sockets live. */
export function chosenAttachment(): AttachOptions {
  return options;
}

/** How this process is attached; `null` before its first use of a socket. */
export function attachedTo(): Attachment | null {
  return attachment;
}

/**
 * The process's Winsock, attached now when it was not, or when the daemon is gone and WSACleanup was called. An attempt that failed may
 * be repeated.
 */
export function processWinsock(): Promise<Winsock> {
  if (attachment?.isOpen() === false && (process?.startups ?? 0) <= (hasOwnStart ? 1 : 0)) {
    if (hasOwnStart) void opened?.WSACleanup();
    hasOwnStart = false;
    opening = null;
    attachment = null;
  }
  opening ??= open();
  return opening;
}

/** The modules in Node's shape have started a Winsock for themselves. When its daemon is gone that start does not hold the process to it. */
export function noteOwnStart(winsock: Winsock): void {
  hasOwnStart ||= winsock === opened;
}

/** The process's Winsock if it is attached, else `null`. */
export function attachedWinsock(): Winsock | null {
  return opened;
}

/**
 * Adds to the number of waiting operations that are not to keep the process alive. Sockets of another Winsock than the process's are
 * their owner's to hold.
 */
export function setBackground(winsock: Winsock | null, delta: number): void {
  if (delta !== 0 && winsock !== null && winsock === opened) attachment?.port.background?.(delta);
}

async function open(): Promise<Winsock> {
  try {
    attachment = await attach(options, true);
  } catch (error) {
    opening = null;
    throw error;
  }
  const { port, names, catalog: catalogPort, watch } = attachment;
  const { profile } = options;
  const application = ownApplication();
  process = new WinsockProcess({
    port,
    names,
    catalogPort,
    application,
    windows: processWindows,
    profile,
    observer: faultWarnings(),
  });
  letWatch(process, watch);
  opened = winsockOf(process);
  return opened;
}
