/**
 * Who in the daemon holds endpoints of the stack by itself, rather than for an application: an endpoint's `context` is its
 * owner, and hears what happens to it.
 */

import type { Endpoint } from '../../stack/index.ts';

export abstract class EndpointOwner {
  /** @param events `EndpointEvent` bits */
  abstract happened(endpoint: Endpoint, events: number): void;
}

/** Tells an endpoint's owner. @returns whether it has one in the daemon */
export function tellOwner(endpoint: Endpoint, events: number): boolean {
  const { context } = endpoint;
  if (!(context instanceof EndpointOwner)) return false;
  context.happened(endpoint, events);
  return true;
}
