/**
 * Who the daemon is once its device is open: nobody in particular, with no rights.
 */

import { readFileSync } from 'node:fs';
import { dropPrivileges, isNativeAvailable, type PrivilegeTarget } from '../native/index.ts';
import { ConfigError } from './errors.ts';

/** A user and a group by number. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Looks up whom to become. The group of a user is its own unless another is named.
 * @throws {ConfigError} when /etc/passwd or /etc/group has no such name.
 */
export function resolveAccount(user: string | undefined, group: string | undefined): Account {
  const account: { uid?: number; gid?: number } = {};
  if (user !== undefined) {
    const entry = findEntry('/etc/passwd', user, 2);
    if (entry === null && !/^\d+$/.test(user))
      throw new ConfigError('--user', user, 'a user of /etc/passwd, or a number');
    account.uid = Number(entry?.[2] ?? user);
    account.gid = Number(entry?.[3] ?? user);
  }
  if (group !== undefined) {
    const entry = findEntry('/etc/group', group, 2);
    if (entry === null && !/^\d+$/.test(group))
      throw new ConfigError('--group', group, 'a group of /etc/group, or a number');
    account.gid = Number(entry?.[2] ?? group);
  }
  return account;
}

/**
 * Gives up all rights, for ever. Where the addon is missing (memory mode on another system) there is nothing that was
 * gained by it, and nothing is done.
 * @returns whether rights were given up
 * @throws {DeviceError} when any right is left.
 */
export function giveUpPrivileges(account: Account): boolean {
  if (!isNativeAvailable()) return false;
  const target: PrivilegeTarget = account;
  dropPrivileges(target);
  return true;
}

/** The fields of the line of `file` whose name, or number in field `numberAt`, is `key`. */
function findEntry(file: string, key: string, numberAt: number): string[] | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  const lines = text.split('\n').map((line) => line.split(':'));
  return (
    lines.find((fields) => fields[0] === key) ?? lines.find((fields) => fields[numberAt] === key) ?? null
  );
}
