/** What the configuration says of forwarding and translation, set up once all interfaces are there. */

import type { NatFiltering, Stack } from '../stack/index.ts';
import type { DaemonConfig } from './config.ts';
import { StartError } from './errors.ts';

/**
 * Switches on forwarding and translation where the configuration says so, once all interfaces are there.
 * @throws {StartError} when there is no such interface, or two port maps are of one port
 */
export function setUpRouting(stack: Stack, config: DaemonConfig): void {
  if (config.forwarding) {
    for (const { index, isLoopback } of stack.interfaces) {
      if (!isLoopback) stack.setInterface(index, { isForwarding: true });
    }
  }
  if (config.nat === undefined) return;
  const outside = stack.interfaces.find(({ name, isLoopback }) => name === config.nat && !isLoopback);
  if (outside === undefined) {
    const names = stack.interfaces.filter(({ isLoopback }) => !isLoopback).map(({ name }) => name);
    throw new StartError(`--nat: there is no interface ${config.nat}; there is ${names.join(', ')}`);
  }
  const filtering = FILTERINGS[config.natFiltering];
  try {
    stack.setNat({ interfaceIndex: outside.index, filtering, portMaps: config.portMap });
  } catch (error) {
    throw error instanceof RangeError ? new StartError(`--port-map: ${error.message}`) : error;
  }
}

/** The configuration's words for what RFC 4787 §5 names. */
const FILTERINGS = {
  'endpoint-independent': 'endpointIndependent',
  address: 'addressDependent',
  'address-and-port': 'addressAndPortDependent',
} as const satisfies Record<DaemonConfig['natFiltering'], NatFiltering>;
