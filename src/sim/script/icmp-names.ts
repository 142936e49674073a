/**
 * ICMP's types and codes as scripts name them (RFC 792, RFC 1122 §3.2.2, RFC 1812 §5.2.7.1).
 */

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

/** Type and code, or `null` when there are no such names. Without a code: 0. */
export function icmpNumbers(type: string, code: string | null): readonly [number, number] | null {
  const number = TYPES[type];
  if (number === undefined) return null;
  if (code === null) return [number, 0];
  const codeNumber = CODES[type]?.indexOf(code) ?? -1;
  return codeNumber < 0 ? null : [number, codeNumber];
}

/** The names of a type and code. */
export function icmpNames(type: number, code: number): string {
  const name = Object.keys(TYPES).find((key) => TYPES[key] === type);
  if (name === undefined) return `type ${type} code ${code}`;
  const codeName = CODES[name]?.[code];
  if (codeName !== undefined) return `${name} ${codeName}`;
  return code === 0 ? name : `${name} code ${code}`;
}
