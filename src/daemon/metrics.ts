/**
 * `/metrics` for Prometheus: the MIB counters, drops by reason, interfaces and clients. Read when asked, kept nowhere.
 */

import { Counter, Gauge, Registry } from 'prom-client';
import type { DaemonState } from './state.ts';
import { counterStatus, dropStatus, interfaceStatus } from './views.ts';

/** A registry whose figures are those of `state` at the moment of each scrape. */
export function createMetrics(state: DaemonState): Registry {
  const registry = new Registry();
  const registers = [registry];
  const { stack } = state;
  for (const name of Object.keys(counterStatus(stack.counters))) {
    const options = { name: `winsockd_${snake(name)}`, help: `MIB counter ${name}`, registers };
    const read = (): number => counterStatus(stack.counters)[name] ?? 0;
    // The one figure among them that may fall.
    if (name === 'tcpCurrEstab') gauge(options, read);
    else counter({ ...options, name: `${options.name}_total` }, read);
  }
  new Counter({
    name: 'winsockd_drops_total',
    help: 'Packets dropped, by reason and rule',
    labelNames: ['reason', 'source'],
    registers,
    collect() {
      this.reset();
      for (const { reason, source, count } of dropStatus(stack.counters)) this.inc({ reason, source }, count);
    },
  });
  for (const figure of ['inPackets', 'inBytes', 'outPackets', 'outBytes'] as const) {
    new Counter({
      name: `winsockd_interface_${snake(figure)}_total`,
      help: `Interface counter ${figure}`,
      labelNames: ['interface'],
      registers,
      collect() {
        this.reset();
        for (const row of interfaceStatus(stack)) this.inc({ interface: row.name }, row[figure]);
      },
    });
  }
  const clients = (): DaemonState['ipc']['sessions'] => state.ipc.sessions;
  gauge({ name: 'winsockd_clients', help: 'Connected applications', registers }, () => clients().length);
  gauge({ name: 'winsockd_client_sockets', help: 'Descriptors held by applications', registers }, () =>
    clients().reduce((sum, { sockets }) => sum + sockets, 0),
  );
  gauge({ name: 'winsockd_resident_bytes', help: 'Resident memory of the daemon', registers }, () =>
    process.memoryUsage.rss(),
  );
  gauge(
    { name: 'winsockd_uptime_seconds', help: 'Time since the daemon started', registers },
    () => state.uptimeSec,
  );
  return registry;
}

interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly registers: Registry[];
}

function counter(options: MetricOptions, read: () => number): void {
  new Counter({
    ...options,
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

function gauge(options: MetricOptions, read: () => number): void {
  new Gauge({
    ...options,
    collect() {
      this.set(read());
    },
  });
}

/** `tcp_active_opens` of `tcpActiveOpens`. */
function snake(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => `_${letters.toLowerCase()}`);
}
