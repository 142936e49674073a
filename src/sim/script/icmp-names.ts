/**
 * ICMP's types and codes as scripts name them (RFC 792, RFC 1122 §3.2.2, RFC 1812 §5.2.7.1); over IPv6 the same names mean what says
 * the same there.
 */

import type { IpFamily } from '../../base/index.ts';

const TYPES: Readonly<Record<string, number>> = {
  echo_reply: 0,
  unreachable: 3,
  source_quench: 4,
  redirect: 5,
  echo_request: 8,
  time_exceeded: 11,
  parameter_problem: 12,
};

const CODES: Readonly<Record<string, readonly string[]>> = {
  unreachable: [
    'net_unreachable',
    'host_unreachable',
    'protocol_unreachable',
    'port_unreachable',
    'frag_needed',
    'source_route_failed',
    'net_unknown',
    'host_unknown',
    'source_host_isolated',
    'net_prohibited',
    'host_prohibited',
    'net_unreachable_for_service',
    'host_unreachable_for_service',
    'packet_filtered',
    'precedence_violation',
    'precedence_cutoff',
  ],
  time_exceeded: ['ttl', 'reassembly'],
};

/** What carries the same news in ICMPv6 (RFC 4443), by ICMP's type and code. */
const V6_NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  'echo_reply 0': [129, 0],
  'echo_request 0': [128, 0],
  'unreachable 0': [1, 0],
  'unreachable 1': [1, 3],
  'unreachable 3': [1, 4],
  'unreachable 4': [2, 0],
  'unreachable 9': [1, 1],
  'unreachable 10': [1, 1],
  'unreachable 13': [1, 1],
  'time_exceeded 0': [3, 0],
  'time_exceeded 1': [3, 1],
};

/** Type and code in ICMP of a family, or `null` when there are no such names. Without a code: 0. */
export function icmpNumbers(
  type: string,
  code: string | null,
  family: IpFamily,
): readonly [number, number] | null {
  const number = TYPES[type];
  if (number === undefined) return null;
  const codeNumber = code === null ? 0 : (CODES[type]?.indexOf(code) ?? -1);
  if (codeNumber < 0) return null;
  return family === 4 ? [number, codeNumber] : (V6_NUMBERS[`${type} ${codeNumber}`] ?? null);
}

/** The names of a type and code. */
export function icmpNames(type: number, code: number, family: IpFamily): string {
  if (family === 6) return namesV6(type, code);
  const name = Object.keys(TYPES).find((key) => TYPES[key] === type);
  if (name === undefined) return `type ${type} code ${code}`;
  const codeName = CODES[name]?.[code];
  if (codeName !== undefined) return `${name} ${codeName}`;
  return code === 0 ? name : `${name} code ${code}`;
}

function namesV6(type: number, code: number): string {
  const key = Object.keys(V6_NUMBERS).find((name) => {
    const numbers = V6_NUMBERS[name];
    return numbers?.[0] === type && numbers[1] === code;
  });
  const [name = '', number = ''] = key?.split(' ') ?? [];
  return key === undefined ? `type ${type} code ${code}` : icmpNames(TYPES[name] ?? 0, Number(number), 4);
}
