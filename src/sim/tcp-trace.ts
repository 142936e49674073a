/**
 * The event streams of simulated hosts, collected with their virtual times.
 */

import { formatTcpEvent, type TcpEventName, type TcpEventRecord, tcpEventRecord } from '../stack/index.ts';
import type { SimHost } from './host.ts';

/** Most events that are kept; those after are counted. */
const MAX_EVENTS = 1 << 20;

/** An event, and on which host. */
export type SimTcpEvent = TcpEventRecord & { readonly host: string };

/** What happens inside of the TCP connections of some hosts, from its making until `close`. */
export class SimTcpTrace {
  readonly events: SimTcpEvent[] = [];
  /** Events that were too many to keep. */
  missed = 0;
  readonly #hosts: readonly SimHost[];

  /** Made by `network.trace`. */
  constructor(hosts: readonly SimHost[]) {
    this.#hosts = hosts;
    for (const { stack, name } of hosts) {
      stack.observeTcp((endpoint, event, a, b) => {
        if (this.events.length >= MAX_EVENTS) this.missed++;
        else this.events.push({ ...tcpEventRecord(stack.now, endpoint, event, a, b), host: name });
      });
    }
  }

  /** The events of one kind, of one host when it is named. */
  of<Name extends TcpEventName>(event: Name, host?: SimHost): (SimTcpEvent & { readonly event: Name })[] {
    return this.events.filter(
      (record): record is SimTcpEvent & { readonly event: Name } =>
        record.event === event && (host === undefined || record.host === host.name),
    );
  }

  /** A line an event: time, host, connection, what happened. The same run gives the same text. */
  text(): string {
    return this.events
      .map((record) => {
        const { at, host, local, remote } = record;
        return `${at.toFixed(3)} ${host} ${local} ↔ ${remote}: ${formatTcpEvent(record)}\n`;
      })
      .join('');
  }

  /** Stops listening; what was collected stays. */
  close(): void {
    for (const { stack } of this.#hosts) stack.observeTcp(null);
  }
}
