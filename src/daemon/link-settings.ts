/**
 * One link of the daemon and what is set on it. The first is in the configuration's own keys; further ones are texts of words:
 *
 *     tap=lan0 address=192.168.5.1/24 address=fd05::1/64 mtu=9000
 */

import { z } from 'zod';
import { deviceName, gateway, gateway6, mtu, namespace, prefix } from './schemas.ts';

export interface LinkSettings {
  /** The device: one of the four. */
  readonly tun?: string | undefined;
  readonly tap?: string | undefined;
  readonly tunFd?: number | undefined;
  readonly memory: boolean;
  readonly netns?: string | undefined;
  readonly address: readonly string[];
  readonly hostAddress: readonly string[];
  readonly gateway?: string | undefined;
  readonly gateway6?: string | undefined;
  readonly dhcp: boolean;
  readonly dhcpInform: boolean;
  readonly autoconf: boolean;
  readonly mtu?: number | undefined;
  readonly offload: boolean;
}

const schema = z.strictObject({
  tun: deviceName.optional(),
  tap: deviceName.optional(),
  netns: namespace.optional(),
  address: z.array(prefix).default([]),
  hostAddress: z.array(prefix).default([]),
  gateway: gateway.optional(),
  gateway6: gateway6.optional(),
  dhcp: z.boolean().default(false),
  dhcpInform: z.boolean().default(false),
  autoconf: z.boolean().default(false),
  mtu: mtu.optional(),
  offload: z.boolean().default(true),
});

const WORDS =
  'tun=NAME or tap=NAME, and address=, host-address=, gateway=, gateway6=, netns=, mtu=, dhcp, dhcp-inform, autoconf, no-offload';

/** A further link, from its words. */
export const furtherLink = z.string().transform((text, context): LinkSettings => {
  const fail = (message: string): typeof z.NEVER => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  const values = readWords(text);
  if (values === null) return fail(WORDS);
  const result = schema.safeParse(values);
  if (!result.success) {
    const [issue] = result.error.issues;
    const isUnknown = issue?.code === 'unrecognized_keys';
    return fail(isUnknown ? WORDS : `in ${String(issue?.path[0])}: ${issue?.message}`);
  }
  if ((result.data.tun === undefined) === (result.data.tap === undefined))
    return fail('one of tun=NAME and tap=NAME');
  return { ...result.data, memory: false };
});

/** Words as values of the schema; `null` when one is said twice that may be there once. */
function readWords(text: string): Record<string, unknown> | null {
  const values: Record<string, unknown> = {};
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const at = word.indexOf('=');
    const name = at < 0 ? word : word.slice(0, at);
    const value = word.slice(at + 1);
    const key = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (LISTS.has(key)) {
      values[key] = [...((values[key] as string[] | undefined) ?? []), value];
      continue;
    }
    const [known, meaning] = at >= 0 ? [key, value] : (SWITCHES.get(name) ?? [key, '']);
    if (known in values) return null;
    values[known] = known === 'mtu' && /^\d+$/.test(value) ? Number(value) : meaning;
  }
  return values;
}

const LISTS: ReadonlySet<string> = new Set(['address', 'hostAddress']);
/** Words that stand alone. */
const SWITCHES: ReadonlyMap<string, readonly [string, boolean]> = new Map([
  ['dhcp', ['dhcp', true]],
  ['dhcp-inform', ['dhcpInform', true]],
  ['autoconf', ['autoconf', true]],
  ['no-offload', ['offload', false]],
]);
