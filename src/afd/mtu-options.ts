/**
 * The options about the MTU of the path: OPT-IP_MTU, OPT-IP_MTU_DISCOVER, OPT-IP_USER_MTU.
 */

import {
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DO,
  IP_PMTUDISC_DONT,
  IP_PMTUDISC_NOT_SET,
  IP_PMTUDISC_PROBE,
  IP_UNSPECIFIED_USER_MTU,
  IP_USER_MTU,
  WSAEINVAL,
  WSAENOTCONN,
} from '../abi/index.ts';
import type { MtuDiscovery } from '../stack/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import type { OptionHandler } from './option-handler.ts';

const STATES = {
  system: IP_PMTUDISC_NOT_SET,
  do: IP_PMTUDISC_DO,
  dont: IP_PMTUDISC_DONT,
  probe: IP_PMTUDISC_PROBE,
} as const satisfies Record<MtuDiscovery, number>;
/** RFC 791: what every link carries. */
const LEAST_MTU = 68;

export const IP_MTU_DISCOVER_HANDLER: OptionHandler<AfdEndpoint> = {
  get: ({ endpoint }) => STATES[endpoint.mtuDiscovery],
  set: ({ endpoint }, value) => {
    const discovery = discoveryOf(value);
    if (discovery === null) return WSAEINVAL;
    endpoint.mtuDiscovery = discovery;
    return 0;
  },
};

export const IP_MTU_HANDLER: OptionHandler<AfdEndpoint> = {
  // SEM-STATE-10
  check: ({ endpoint }) => (endpoint.pathMtu === 0 ? WSAENOTCONN : 0),
  get: ({ endpoint }) => endpoint.pathMtu,
};

export const IP_USER_MTU_HANDLER: OptionHandler<AfdEndpoint> = {
  get: ({ endpoint }) => (endpoint.userMtu === 0 ? IP_UNSPECIFIED_USER_MTU | 0 : endpoint.userMtu),
  set: ({ endpoint }, value) => {
    const bytes = value >>> 0;
    if (bytes < LEAST_MTU) return WSAEINVAL;
    endpoint.userMtu = bytes === IP_UNSPECIFIED_USER_MTU ? 0 : bytes;
    return 0;
  },
};

/** Handlers of these options, of every IPv4 socket. */
export const MTU_OPTIONS: readonly [number, OptionHandler<AfdEndpoint>][] = [
  [IP_MTU_DISCOVER, IP_MTU_DISCOVER_HANDLER],
  [IP_MTU, IP_MTU_HANDLER],
  [IP_USER_MTU, IP_USER_MTU_HANDLER],
];

/** What a PMTUD_STATE asks for; NOT_SET can not be asked for. */
function discoveryOf(state: number): MtuDiscovery | null {
  if (state === IP_PMTUDISC_DO) return 'do';
  if (state === IP_PMTUDISC_DONT) return 'dont';
  return state === IP_PMTUDISC_PROBE ? 'probe' : null;
}
