/**
 * Whether a process may stand for another: it is a provider host that the other has started, directly or by a helper. Both answers
 * are the kernel's, from /proc: who is whose parent, and whose rights a process has.
 */

import { readFileSync } from 'node:fs';
import type { PeerIdentity } from '../port/index.ts';

/** Longest way from a host up to its application. */
const GENERATIONS_MAX = 16;

/** What of a process counts here. */
interface ProcessStatus {
  readonly parent: number;
  /** Real, effective, saved and file system user ids. */
  readonly users: readonly number[];
}

/** Reads what the kernel says of a process; `null` when it has none, or does not show it. */
export type ReadStatus = (pid: number) => ProcessStatus | null;

/** @returns why not, or `null` */
export function refuseRepresentation(
  { pid: host, uid }: PeerIdentity,
  application: number,
  read: ReadStatus = readStatus,
): string | null {
  if (host <= 0) return 'the daemon cannot tell who has connected: its native addon is not built';
  const status = application > 0 ? read(application) : null;
  if (status === null) return `there is no process ${application}`;
  if (status.users.some((user) => user !== uid)) return `process ${application} is another user's`;
  let ancestor = host;
  for (let i = 0; i < GENERATIONS_MAX && ancestor > 0; i++) {
    if (ancestor === application) return null;
    ancestor = read(ancestor)?.parent ?? 0;
  }
  return `process ${application} has not started process ${host}`;
}

function readStatus(pid: number): ProcessStatus | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return null;
  }
  const field = (name: string): number[] => {
    const line = new RegExp(`^${name}:\\s*([\\d\\t ]*)$`, 'm').exec(text)?.[1] ?? '';
    return line.trim().split(/\s+/).map(Number);
  };
  const [parent = 0] = field('PPid');
  const users = field('Uid');
  return users.length === 4 ? { parent, users } : null;
}
