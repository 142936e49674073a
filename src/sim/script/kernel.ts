/**
 * What scripts that were written for a kernel set with `sysctl` before they begin, as settings of this stack.
 *
 * Commands are read, never run. A variable that is not named here has no counterpart, and a note says so.
 */

import type { TcpOptions } from '../../stack/index.ts';
import type { Script } from './ast.ts';

type Settings = Record<string, number | boolean | string>;

/** Linux's numbers for `tcp_ecn`: 3 to 5 know AccECN, 2 and 5 only answer. */
const ECN_MODES = ['off', 'classic', 'passive', 'accurate', 'classic', 'passive'] as const;

/** Linux's numbers for `tcp_mtu_probing`. */
const MTU_PROBING_MODES = ['off', 'blackHole', 'always'] as const;

/** What a kernel does when no command says otherwise, and this stack does not. */
const KERNEL_DEFAULTS: Settings = { mtuProbing: 'off' };

/** Variables below `net.ipv4.`, and what each sets. A value with several numbers is minimum, default and maximum. */
const VARIABLES: Readonly<Record<string, (values: readonly number[], into: Settings) => void>> = {
  tcp_timestamps: toSwitch('timestamps'),
  tcp_sack: toSwitch('sack'),
  tcp_window_scaling: toSwitch('windowScaling'),
  tcp_syn_retries: toNumber('maxSynRetransmissions'),
  tcp_retries2: toNumber('maxRetransmissions'),
  tcp_wmem: toNumber('sendBufferSize', 1),
  tcp_ecn: ([value], into) => {
    into['ecn'] = ECN_MODES[value ?? 0] ?? 'off';
  },
  tcp_mtu_probing: ([value], into) => {
    into['mtuProbing'] = MTU_PROBING_MODES[value ?? 0] ?? 'off';
  },
  tcp_rmem: toNumber('receiveBufferSize', 1),
};

/** `net.ipv4.tcp_sack=0`, `/proc/sys/net/ipv4/tcp_sack=0`, also in quotes. */
const ASSIGNMENT = /net[./]ipv4[./](\w+)=(?:"([^"]*)"|(\S+))/g;

/** The settings of all commands of a script. */
export function readSysctls(script: Script): { readonly tcp: Partial<TcpOptions>; readonly notes: string[] } {
  const tcp: Settings = { ...KERNEL_DEFAULTS };
  const notes: string[] = [];
  for (const { line, action } of script.events) {
    if (action.kind !== 'command') continue;
    for (const [, name = '', quoted, plain] of action.text.matchAll(ASSIGNMENT)) {
      const set = VARIABLES[name];
      const values = (quoted ?? plain ?? '').split(/\s+/).map(Number);
      if (set === undefined || values.some(Number.isNaN))
        notes.push(`${script.file}:${line}: ${name} means nothing here`);
      else set(values, tcp);
    }
  }
  return { tcp: tcp as Partial<TcpOptions>, notes };
}

function toSwitch(option: keyof TcpOptions): (values: readonly number[], into: Settings) => void {
  return ([value], into) => {
    into[option] = value !== 0;
  };
}

function toNumber(option: keyof TcpOptions, index = 0): (values: readonly number[], into: Settings) => void {
  return (values, into) => {
    const value = values[index];
    if (value !== undefined) into[option] = value;
  };
}
