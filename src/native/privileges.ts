/**
 * Giving up privilege, and seeing that it is gone.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { DeviceError, explain } from './errors.ts';
import { loadNative } from './load.ts';

/** capabilities(7): the rights to set groups, and to empty the bounding set. */
const CAP_SETGID = 6n;
const CAP_SETPCAP = 8n;

/** Who to become. What is left out stays as it is. */
export interface PrivilegeTarget {
  readonly uid?: number;
  readonly gid?: number;
  /** Supplementary groups. Left out: none, where the process may say so. */
  readonly groups?: readonly number[];
}

/** The rights of one thread, as `/proc/<pid>/task/<tid>/status` shows them (proc(5)). */
export interface ThreadPrivileges {
  readonly tid: number;
  /** Real, effective, saved and file-system id. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  /** Capability sets as hexadecimal masks; all zeros: none. */
  readonly inheritable: string;
  readonly permitted: string;
  readonly effective: string;
  readonly bounding: string;
  readonly ambient: string;
  readonly hasNoNewPrivileges: boolean;
}

/** The rights of every thread of this process. */
export function threadPrivileges(): ThreadPrivileges[] {
  return readdirSync('/proc/self/task').flatMap((tid) => {
    try {
      return [parseThreadStatus(Number(tid), readFileSync(`/proc/self/task/${tid}/status`, 'utf8'))];
    } catch {
      return []; // The thread has ended.
    }
  });
}

/** Reads the text of a `status` file. Fields that an old kernel lacks are empty. */
export function parseThreadStatus(tid: number, text: string): ThreadPrivileges {
  const field = (name: string): string =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const numbers = (name: string): number[] =>
    field(name) === '' ? [] : field(name).split(/\s+/).map(Number);
  return {
    tid,
    uids: numbers('Uid'),
    gids: numbers('Gid'),
    groups: numbers('Groups'),
    inheritable: field('CapInh'),
    permitted: field('CapPrm'),
    effective: field('CapEff'),
    bounding: field('CapBnd'),
    ambient: field('CapAmb'),
    hasNoNewPrivileges: field('NoNewPrivs') === '1',
  };
}

/**
 * Leaves the process with no more rights than `target`'s, in every thread and for ever: supplementary groups, group and
 * user ids, all capability sets, the bounding set (where the process may change it), the right to gain any by exec, and
 * being traced or dumped by others of the same user. An open device keeps carrying frames; its settings can't be changed
 * any more.
 *
 * Done once, after the device is open and before the first frame is read. It is checked: when a single thread still has
 * more, this throws and the process should end.
 * @throws {DeviceError} `EPERM` when the process may not become `target`, or a right is left.
 */
export function dropPrivileges(target: PrivilegeTarget = {}): void {
  const addon = loadNative();
  const before = threadPrivileges();
  const mayChangeBounding = holds(before, CAP_SETPCAP);
  const groups = target.groups ?? (holds(before, CAP_SETGID) ? [] : undefined);
  explain({ action: `drop privileges${describe(target)}` }, () =>
    addon.dropPrivileges(
      target.uid ?? null,
      target.gid ?? null,
      groups === undefined ? null : Int32Array.from(groups),
    ),
  );
  const wanted = groups === undefined ? target : { ...target, groups };
  const left = threadPrivileges().flatMap((thread) => leftovers(thread, wanted, mayChangeBounding));
  if (left.length > 0) {
    throw new DeviceError(
      'EPERM',
      `privileges are left after dropping them: ${left.join('; ')}; end this process`,
    );
  }
}

/** What a thread still has beyond `target`; empty when all is well. For {@link dropPrivileges} and its tests. */
export function leftovers(
  thread: ThreadPrivileges,
  target: PrivilegeTarget,
  isBoundingEmpty: boolean,
): string[] {
  const left: string[] = [];
  const say = (what: string): number => left.push(`thread ${thread.tid} ${what}`);
  const { uid, gid, groups } = target;
  if (uid !== undefined && thread.uids.some((id) => id !== uid)) say(`has uids ${thread.uids.join(' ')}`);
  if (gid !== undefined && thread.gids.some((id) => id !== gid)) say(`has gids ${thread.gids.join(' ')}`);
  if (groups !== undefined && thread.groups.some((id) => !groups.includes(id))) {
    say(`is in groups ${thread.groups.join(' ')}`);
  }
  for (const set of ['inheritable', 'permitted', 'effective', 'ambient'] as const) {
    if (!isEmptySet(thread[set])) say(`has ${set} capabilities ${thread[set]}`);
  }
  if (isBoundingEmpty && !isEmptySet(thread.bounding)) say(`has bounding capabilities ${thread.bounding}`);
  if (!thread.hasNoNewPrivileges) say('can gain privileges by exec');
  return left;
}

function isEmptySet(mask: string): boolean {
  return /^0*$/.test(mask);
}

/** Whether any thread has a capability in effect. */
function holds(threads: readonly ThreadPrivileges[], capability: bigint): boolean {
  return threads.some(({ effective }) => ((BigInt(`0x${effective || '0'}`) >> capability) & 1n) === 1n);
}

function describe({ uid, gid }: PrivilegeTarget): string {
  const parts = [uid === undefined ? '' : `uid ${uid}`, gid === undefined ? '' : `gid ${gid}`].filter(
    Boolean,
  );
  return parts.length === 0 ? '' : ` and become ${parts.join(', ')}`;
}
