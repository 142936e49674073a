/**
 * A packet of a script, written again as the script would: for messages and traces.
 */

import type { PacketSpec, TcpOptionSpec, TcpSpec } from './ast.ts';

export function formatSpec(spec: PacketSpec): string {
  switch (spec.protocol) {
    case 'tcp':
      return formatTcp(spec);
    case 'udp':
      return `udp (${spec.length})`;
    case 'icmp': {
      const mtu = spec.mtu === null ? '' : ` mtu ${spec.mtu}`;
      return `icmp ${spec.type}${spec.code === null ? '' : ` ${spec.code}`}${mtu}`;
    }
  }
}

function formatTcp(spec: TcpSpec): string {
  let text = spec.ecn === null ? '' : `[${spec.ecn}] `;
  text += `${spec.flags === '' ? '-' : spec.flags} ${spec.seq}:${spec.endSeq}(${spec.length})`;
  if (spec.ack !== null) text += ` ack ${spec.ack}`;
  if (spec.window !== null) text += ` win ${spec.window}`;
  if (spec.urgent !== null) text += ` urg ${spec.urgent}`;
  if (spec.options === null) return `${text} <...>`;
  return spec.options.length === 0 ? text : `${text} <${spec.options.map(formatOption).join(',')}>`;
}

function formatOption(option: TcpOptionSpec): string {
  switch (option.kind) {
    case 'mss':
    case 'wscale':
      return `${option.kind} ${option.value}`;
    case 'TS':
      return `TS val ${option.val} ecr ${option.ecr}`;
    case 'sack':
      return `sack ${option.blocks.map(([left, right]) => `${left}:${right}`).join(' ')}`;
    case 'ECN':
      return ['ECN', ...option.fields.map(([name, value]) => `${name} ${value}`)].join(' ');
    case 'FO':
    case 'FOEXP':
      return `${option.kind} ${formatCookie(option.cookie)}`.trimEnd();
    default:
      return option.kind;
  }
}

/** A Fast Open cookie as scripts write it. */
export function formatCookie(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
