/**
 * A Winsock of host a with layers, for tests of the layers themselves: one process, embedded, in virtual time.
 */

import { afterEach, expect } from '@jest/globals';
import type { LayerFault, LayerRecord, ProviderFailure } from '../../src/spi/index.ts';
import { createWinsock, MAKEWORD, type Winsock, type WinsockOptions } from '../../src/winsock/index.ts';
import { layeredOptions, type TestLayer } from '../support/chains.ts';
import { joinedHosts, PumpedTime } from './attachment.ts';
import { wsadata } from './support.ts';

export interface LayeredWinsock {
  readonly ws: Winsock;
  /** What was told about its chains. */
  readonly failures: ProviderFailure[];
  readonly faults: LayerFault[];
  readonly layers: LayerRecord[];
  readonly time: PumpedTime;
}

const open: (() => void)[] = [];

afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** @param layers lowest first */
export function withLayers(layers: readonly TestLayer[], more: Partial<WinsockOptions> = {}): LayeredWinsock {
  const time = new PumpedTime();
  const hosts = joinedHosts(time);
  const failures: ProviderFailure[] = [];
  const faults: LayerFault[] = [];
  const records: LayerRecord[] = [];
  const observer = {
    failed: (failure: ProviderFailure) => void failures.push(failure),
    fault: (fault: LayerFault) => void faults.push(fault),
    started: (layer: LayerRecord) => void records.push(layer),
  };
  const options = { port: hosts.a.openSession(), names: hosts.a.openNames(), scheduler: time, observer };
  const ws = createWinsock({ ...options, ...layeredOptions(layers), ...more });
  open.push(() => {
    while (ws.WSACleanup() === 0);
    hosts.a.close();
    hosts.b.close();
    time.stop();
  });
  expect(ws.WSAStartup(MAKEWORD(2, 2), wsadata())).toBe(0);
  return { ws, failures, faults, layers: records, time };
}
