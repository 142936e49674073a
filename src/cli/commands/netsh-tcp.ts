/**
 * `winsockd netsh interface tcp`: TCP's settings as people know them from Windows, over those that the stack really has.
 *
 *     winsockd netsh int tcp show global
 *     winsockd netsh int tcp set global autotuninglevel=restricted ecncapability=enabled
 *     winsockd netsh int tcp reset
 *
 * They last until the daemon ends; what the stack does not have is refused with the reason.
 */

import { Command } from 'commander';
import type { TcpSettingsStatus } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { CliError, ExitCode, usageError } from '../exit-codes.ts';
import { readInteger } from '../units.ts';

type Change = { -readonly [K in keyof TcpSettingsStatus]?: TcpSettingsStatus[K] };

export const TCP_SETTINGS = '/v1/tcp-settings';
/** What the daemon says after a change, and what it does not. */
export const LASTS =
  'Ok. It counts for connections that are opened from now on, and lasts until the daemon ends.\n\n';

/**
 * The receive buffer by netsh's levels: where it begins, and up to where it grows. Windows defines them by the window scale that is
 * offered: none, 2, 4, 8 and 14.
 */
const LEVELS: Readonly<Record<string, readonly [begin: number, most: number]>> = {
  disabled: [0xffff, 0xffff],
  highlyrestricted: [0xffff, 0xffff << 2],
  restricted: [256 << 10, 0xffff << 4],
  normal: [256 << 10, 0xffff << 8],
  experimental: [256 << 10, 0xffff << 14],
};

const PROVIDERS = ['cubic', 'newreno', 'bbr', 'ledbat'];
const ECN: Readonly<Record<string, TcpSettingsStatus['ecn']>> = {
  enabled: 'classic',
  disabled: 'off',
  default: 'passive',
  accurate: 'accurate',
};

/** What netsh has and the stack has not, or has always. */
const NOT_THERE: Readonly<Record<string, string>> = {
  rss: 'the stack runs in one thread: there is nothing to spread over',
  rsc: 'the device merges segments: "winsockd status" lists its offloads',
  chimney: 'no network card takes connections over',
  netdma: 'there is no such engine',
  dca: 'there is no such cache access',
  nonsackrttresiliency: 'the retransmission timer is RFC 6298’s with and without SACK',
  fastopenfallback: 'a SYN that is sent again has no text, always',
  hystart: 'slow start ends by RFC 9406 with every provider that is loss-based, always',
  prr: 'loss recovery is RFC 9937’s, always',
};

export function netshTcpCommand(session: Session): Command {
  const show = new Command('show')
    .description('list what is set')
    .addCommand(leaf(session, 'global', 'TCP’s settings', showGlobal));
  const set = new Command('set').description('change what is set').addCommand(setGlobal(session, 'global'));
  set.addCommand(setGlobal(session, 'supplemental'));
  const defaults = 'TCP’s settings as the stack has them by itself';
  return new Command('tcp')
    .description('what concerns TCP')
    .addCommand(show)
    .addCommand(set)
    .addCommand(leaf(session, 'reset', defaults, (invocation) => change(invocation, DEFAULTS)));
}

async function showGlobal({ client, print }: Invocation<unknown>): Promise<ExitCode> {
  const settings = await client.get<TcpSettingsStatus>(TCP_SETTINGS);
  print(settings, () => globalText(settings));
  return ExitCode.ok;
}

function setGlobal(session: Session, name: string): Command {
  const summary =
    name === 'global' ? 'change TCP’s settings' : 'the same, as Windows has it for congestion providers';
  return leaf(session, name, summary, (invocation) => change(invocation, changeOf(invocation.args))).argument(
    '<words...>',
    'settings such as autotuninglevel=restricted, ecncapability=enabled, timestamps=disabled, initialrto=2000',
  );
}

async function change({ client, print }: Invocation<unknown>, body: Change): Promise<ExitCode> {
  const now = await client.ask<TcpSettingsStatus>('PATCH', TCP_SETTINGS, { body });
  print(now, () => LASTS);
  return ExitCode.ok;
}

function changeOf(words: readonly string[]): Change {
  const change: Change = {};
  for (const word of words) {
    const at = word.indexOf('=');
    const key = (at < 0 ? word : word.slice(0, at)).toLowerCase();
    const value = at < 0 ? '' : word.slice(at + 1).toLowerCase();
    const reason = NOT_THERE[key];
    if (reason !== undefined) {
      throw new CliError(ExitCode.usage, 'usage', `${key} can't be set: ${reason}`);
    }
    // One for all, whatever Windows tells apart by templates.
    if (key === 'template' || (at < 0 && ['internet', 'datacenter', 'custom'].includes(key))) continue;
    const read = READERS[key];
    if (read === undefined) throw usageError('setting', word, `one of ${Object.keys(READERS).join(', ')}`);
    Object.assign(change, read(key, value));
  }
  if (Object.keys(change).length === 0) throw usageError('setting', words.join(' '), 'anything to change');
  return change;
}

const autotuning = (key: string, value: string): Change => {
  const level = LEVELS[value];
  if (level === undefined) throw usageError(key, value, `one of ${Object.keys(LEVELS).join(', ')}`);
  return { receiveBufferSize: level[0], receiveBufferMax: level[1] };
};

const provider = (key: string, value: string): Change => {
  const name = value === 'default' || value === 'none' ? 'cubic' : value;
  if (!PROVIDERS.includes(name)) throw usageError(key, value, `default or one of ${PROVIDERS.join(', ')}`);
  return { congestionControl: name };
};

/** `default` is what the stack has by itself. */
const readSwitch = (key: string, value: string, isOn: boolean): boolean => {
  if (value === 'enabled' || value === 'enable') return true;
  if (value === 'disabled' || value === 'disable') return false;
  if (value === 'default') return isOn;
  throw usageError(key, value, 'enabled, disabled or default');
};

const READERS: Readonly<Record<string, (key: string, value: string) => Change>> = {
  autotuninglevel: autotuning,
  autotuning,
  congestionprovider: provider,
  ecncapability(key, value) {
    const ecn = ECN[value];
    if (ecn === undefined) throw usageError(key, value, `one of ${Object.keys(ECN).join(', ')}`);
    return { ecn };
  },
  timestamps: (key, value) => ({ timestamps: readSwitch(key, value, true) }),
  // Windows' own bounds of both.
  initialrto: (key, value) => ({ initialRto: readInteger(key, value, 300, 3000) }),
  maxsynretransmissions: (key, value) => ({ maxSynRetransmissions: readInteger(key, value, 2, 8) }),
  fastopen: (key, value) => ({ fastOpen: readSwitch(key, value, false) }),
  pacingprofile(key, value) {
    if (value !== 'off' && value !== 'always') throw usageError(key, value, 'off or always');
    return { pacing: value === 'always' };
  },
};

function globalText(settings: TcpSettingsStatus): string {
  const shown = (isOn: boolean): string => (isOn ? 'enabled' : 'disabled');
  const { ecn, timestamps, initialRto, maxSynRetransmissions, fastOpen, congestionControl, pacing } =
    settings;
  const ecnWord = Object.entries(ECN).find(([, mode]) => mode === ecn)?.[0] ?? ecn;
  const rows: readonly (readonly [string, string | number])[] = [
    ['Receive-Side Scaling State', 'not there'],
    ['Receive Window Auto-Tuning Level', levelOf(settings)],
    ['Add-On Congestion Control Provider', congestionControl],
    ['ECN Capability', ecn === 'passive' ? 'default (when the peer asks)' : ecnWord],
    ['RFC 1323 Timestamps', shown(timestamps)],
    ['Initial RTO', initialRto],
    ['Receive Segment Coalescing State', 'the device’s'],
    ['Non Sack Rtt Resiliency', 'not there'],
    ['Max SYN Retransmissions', maxSynRetransmissions],
    ['Fast Open', shown(fastOpen)],
    ['Fast Open Fallback', 'enabled'],
    ['HyStart', 'enabled'],
    ['Proportional Rate Reduction', 'enabled'],
    ['Pacing Profile', pacing ? 'always' : 'off'],
  ];
  const title = 'TCP Global Parameters\n----------------------------------------------\n';
  return `${title}${rows.map(([name, value]) => `${name.padEnd(NAME_WIDTH)}: ${value}\n`).join('')}\n`;
}

function levelOf({ receiveBufferSize, receiveBufferMax }: TcpSettingsStatus): string {
  for (const [name, [begin, most]] of Object.entries(LEVELS)) {
    if (begin === receiveBufferSize && most === receiveBufferMax) return name;
  }
  return `custom (${receiveBufferSize} to ${receiveBufferMax} bytes)`;
}

const [NORMAL_BEGIN, NORMAL_MOST] = LEVELS['normal'] as readonly [number, number];
/** As the stack begins. */
const DEFAULTS: Change = {
  sendBufferSize: 256 << 10,
  sendBufferMax: 16 << 20,
  receiveBufferSize: NORMAL_BEGIN,
  receiveBufferMax: NORMAL_MOST,
  initialRto: 1000,
  maxSynRetransmissions: 4,
  timestamps: true,
  ecn: 'passive',
  fastOpen: false,
  congestionControl: 'cubic',
  pacing: false,
};
const NAME_WIDTH = 36;
