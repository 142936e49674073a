/**
 * What a script's `--name=value` lines set.
 */

import { IpAddress, type IpFamily } from '../../base/index.ts';
import type { SynCookieMode, TcpOptions } from '../../stack/index.ts';
import { IPV4_HEADER_LEN, IPV6_HEADER_LEN } from '../../wire/index.ts';
import type { Script, ScriptOption } from './ast.ts';
import { readSysctls } from './kernel.ts';
import { ScriptError, UnsupportedError } from './script-error.ts';

export interface ScriptSettings {
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  /** The port that `bind(fd, ..., ...)` takes, and the peer's to which `connect(fd, ..., ...)` goes. */
  readonly bindPort: number;
  readonly connectPort: number;
  readonly mtu: number;
  /** What every MTU of the script is larger by on the wire: a script that may run over either family names those of IPv4. */
  readonly mtuShift: number;
  /** How far an event may be off its time, ms. */
  readonly tolerance: number;
  readonly seed: number;
  /** The script was written for a kernel: see {@link Exactness} and `kernel.ts`. */
  readonly isKernel: boolean;
  readonly tcp: TcpOptions;
  /** Options that mean nothing here. */
  readonly notes: readonly string[];
}

/** Names of the host's TCP knobs in scripts. In packetdrill such things are set with sysctl in a command. */
const TCP_NUMBERS: Readonly<Record<string, keyof TcpOptions>> = {
  tcp_send_buffer: 'sendBufferSize',
  tcp_receive_buffer: 'receiveBufferSize',
  tcp_min_rto_ms: 'minRto',
  tcp_max_retransmissions: 'maxRetransmissions',
  tcp_max_syn_retransmissions: 'maxSynRetransmissions',
  tcp_delayed_ack_ms: 'delayedAckMs',
  tcp_msl_ms: 'msl',
  tcp_max_half_open: 'maxHalfOpen',
};
const TCP_SWITCHES: Readonly<Record<string, keyof TcpOptions>> = {
  tcp_timestamps: 'timestamps',
  tcp_window_scaling: 'windowScaling',
  tcp_sack: 'sack',
};

/** By the number that `tcp_syncookies` has in Linux' sysctl. */
const COOKIE_MODES: readonly SynCookieMode[] = ['off', 'pressure', 'always'];
const ECN_MODES: readonly string[] = ['off', 'passive', 'classic', 'accurate'];

/** Of the language, but about a real machine: silently without meaning in virtual time. */
const WITHOUT_MEANING = [
  'gateway_ip',
  'netmask_ip',
  'speed',
  'wire_protocol',
  'non_fatal',
  'init_scripts',
  'verbose',
];

/** @param family of a script that names none @throws {ScriptError} for a value that cannot be. */
export function readSettings(script: Script, isKernel = false, family: IpFamily = 4): ScriptSettings {
  const sysctls = isKernel ? readSysctls(script) : { tcp: {}, notes: [] };
  const tcp: Record<string, unknown> = { ...sysctls.tcp };
  const notes: string[] = [...sysctls.notes];
  const own = versionOf(script);
  const ends = (own ?? family) === 4 ? ADDRESSES_4 : ADDRESSES_6;
  const mtuShift = own === null && family === 6 ? IPV6_HEADER_LEN - IPV4_HEADER_LEN : 0;
  let settings = { ...DEFAULTS, ...ends };
  for (const option of script.options) {
    const { name, value } = option;
    const number = (): number => toNumber(script, option);
    const known = TCP_NUMBERS[name];
    const knownSwitch = TCP_SWITCHES[name];
    if (known !== undefined) tcp[known] = number();
    else if (knownSwitch !== undefined) tcp[knownSwitch] = number() !== 0;
    else if (name === 'tcp_congestion_control') tcp['congestionControl'] = value;
    else if (name === 'tcp_syncookies') tcp['synCookies'] = COOKIE_MODES[number()] ?? 'always';
    else if (name === 'tcp_ecn' && ECN_MODES.includes(value)) tcp['ecn'] = value;
    else if (name === 'local_ip') settings = { ...settings, localAddress: toAddress(script, option, ends) };
    else if (name === 'remote_ip') settings = { ...settings, remoteAddress: toAddress(script, option, ends) };
    else if (name === 'bind_port') settings = { ...settings, bindPort: number() };
    else if (name === 'connect_port') settings = { ...settings, connectPort: number() };
    else if (name === 'mtu') settings = { ...settings, mtu: number() };
    // In a kernel's script, how merged packets of the peer are cut: ours are not.
    else if (name === 'mss' && isKernel) continue;
    else if (name === 'mss') settings = { ...settings, mtu: number() + 40 };
    else if (name === 'tolerance_usecs') settings = { ...settings, tolerance: number() / 1000 };
    else if (name === 'seed') settings = { ...settings, seed: number() };
    else if (name !== 'ip_version' && !WITHOUT_MEANING.includes(name)) {
      notes.push(`${script.file}:${option.line}: --${name} means nothing here`);
    }
  }
  const mtu = settings.mtu + mtuShift;
  if (ends === ADDRESSES_6 && mtu < MIN_MTU_V6) {
    const line = script.options.find(({ name }) => name === 'mtu' || name === 'mss')?.line ?? 1;
    throw new UnsupportedError(script.file, line, `an MTU of ${mtu}: IPv6 needs ${MIN_MTU_V6}`);
  }
  return { ...settings, mtu, mtuShift, isKernel, tcp: tcp as TcpOptions, notes };
}

function toNumber(script: Script, option: ScriptOption): number {
  const number = Number(option.value);
  if (option.value === '' || !(number >= 0)) {
    throw new ScriptError(
      script.file,
      option.line,
      `--${option.name}: '${option.value}' is no number of 0 or more`,
    );
  }
  return number;
}

function toAddress(script: Script, option: ScriptOption, { localAddress }: typeof ADDRESSES_4): IpAddress {
  const address = IpAddress.parse(option.value);
  const { family } = localAddress;
  if (address === null || address.family !== family) {
    const what = `'${option.value}' is no IPv${family} address`;
    throw new ScriptError(script.file, option.line, `--${option.name}: ${what}`);
  }
  return address;
}

/** The family that a script is about; `null` when it does not say. */
function versionOf(script: Script): IpFamily | null {
  const option = script.options.find(({ name }) => name === 'ip_version');
  if (option === undefined) return null;
  if (option.value === 'ipv4') return 4;
  if (option.value === 'ipv6') return 6;
  throw new UnsupportedError(
    script.file,
    option.line,
    `${option.value} is not supported, only ipv4 and ipv6`,
  );
}

/** RFC 8200 §5. */
const MIN_MTU_V6 = 1280;

const ADDRESSES_4 = {
  localAddress: IpAddress.parse('192.168.0.1') as IpAddress,
  remoteAddress: IpAddress.parse('192.0.2.1') as IpAddress,
};
const ADDRESSES_6: typeof ADDRESSES_4 = {
  localAddress: IpAddress.parse('fd3d::1') as IpAddress,
  remoteAddress: IpAddress.parse('2001:db8::1') as IpAddress,
};

const DEFAULTS = {
  bindPort: 8080,
  connectPort: 8080,
  mtu: 1500,
  tolerance: 4,
  seed: 1,
};
