/**
 * `winsockd netsh interface ipv6 show|add|set|delete prefixpolicy`: the policy table of address selection (RFC 6724 §2.1), as
 * Windows spells it. The daemon keeps changes until it ends; `prefixPolicies` of its settings are what it begins with.
 */

import type { Command } from 'commander';
import type { PrefixPolicy } from '../../port/index.ts';
import { leaf, type Session } from '../command.ts';
import { CliError, ExitCode, usageError } from '../exit-codes.ts';
import { isForPeople, table } from '../render.ts';
import { readInteger } from '../units.ts';

const PATH = '/v1/prefix-policies';
const MAX_VALUE = 65_535;
/** The order in which values come that have no word before them. */
const ORDER = ['prefix', 'precedence', 'label', 'store'];

export function showPrefixPolicies(session: Session): Command {
  const words = 'list the policy table of address selection';
  return leaf(session, 'prefixpolicies', words, async ({ client, context, print }) => {
    const rows = await client.get<PrefixPolicy[]>(PATH);
    const sorted = rows.toSorted((a, b) => b.precedence - a.precedence);
    print(sorted, () => policiesText(sorted, isForPeople(context)));
    return ExitCode.ok;
  }).alias('prefixpolicy');
}

/** @param method POST adds a row, PATCH changes what is named of it, DELETE removes it */
export function changePrefixPolicy(
  session: Session,
  method: 'POST' | 'PATCH' | 'DELETE',
  description: string,
): Command {
  return leaf(session, 'prefixpolicy', description, async ({ client, args, print }) => {
    const body = readWords(args, method);
    const rows = await client.ask<PrefixPolicy[]>(method, PATH, { body });
    print(rows, () => 'Ok.\n\n');
    return ExitCode.ok;
  })
    .alias('prefixpolicies')
    .argument('<words...>', 'prefix=fd00::/8 precedence=45 label=14, or the values alone in this order');
}

function readWords(args: readonly string[], method: 'POST' | 'PATCH' | 'DELETE'): Partial<PrefixPolicy> {
  const words = new Map<string, string>();
  for (const [i, arg] of args.entries()) {
    const at = arg.indexOf('=');
    const word = at < 0 ? (ORDER[i] ?? arg) : arg.slice(0, at).toLowerCase();
    if (!ORDER.includes(word)) throw usageError('prefixpolicy', arg, 'prefix, precedence and label');
    words.set(word, arg.slice(at + 1));
  }
  if (words.get('store')?.toLowerCase() === 'persistent') {
    const remedy = 'put it where the daemon is started: prefixPolicies';
    throw new CliError(ExitCode.usage, 'usage', `store=persistent: kept until the daemon ends; ${remedy}`);
  }
  const prefix = words.get('prefix');
  if (prefix === undefined) throw usageError('prefix', '', 'a prefix such as fd00::/8');
  if (method === 'DELETE') return { prefix };
  const values = ['precedence', 'label'].flatMap((name): [string, number][] => {
    const text = words.get(name);
    if (text !== undefined) return [[name, readInteger(name, text, 0, MAX_VALUE)]];
    if (method === 'POST') throw usageError(name, '', `0 to ${MAX_VALUE}`);
    return [];
  });
  return { prefix, ...Object.fromEntries(values) };
}

function policiesText(rows: readonly PrefixPolicy[], isBold: boolean): string {
  return table(
    rows,
    [
      { title: 'Precedence', align: 'right', value: ({ precedence }) => precedence },
      { title: 'Label', align: 'right', value: ({ label }) => label },
      { title: 'Prefix', value: ({ prefix }) => prefix },
    ],
    isBold,
  );
}
