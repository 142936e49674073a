/**
 * What a connection goes through, seen from inside: the events of a transfer over a path that loses packets, and the figures at
 * its end. `docs/observing.md` explains it; `test/sim/example.test.ts` runs it.
 */

import { createNetwork, type SimTcpEvent } from '../src/sim/index.ts';
import { formatTcpEvent, type TcpStatistics } from '../src/stack/index.ts';

export interface Observation {
  readonly events: readonly SimTcpEvent[];
  readonly statistics: TcpStatistics;
}

/** Sends 200 KB over a path of 2 × 20 ms that loses 2 % of the packets; prints loss episodes, and what held the sender back. */
export async function observing(print: (line: string) => void): Promise<Observation> {
  const network = createNetwork({ seed: 4 });
  const wire = network.segment();
  const server = network.host({ name: 'server', segment: wire, addresses: ['10.0.0.1/24'] });
  const impair = { loss: 0.02, delay: 20 };
  const client = network.host({ name: 'client', segment: wire, addresses: ['10.0.0.2/24'], impair });

  // From here on everything that happens inside of TCP is collected, with its virtual time.
  const trace = network.trace(server);

  const listener = server.tcp.listen(80);
  const connecting = client.tcp.connect('10.0.0.1', 80);
  const [download, upload] = await network.run(Promise.all([connecting, listener.accept()]));
  const send = async (): Promise<void> => {
    await upload.write(new Uint8Array(200_000));
    upload.end();
    await upload.ended();
  };
  download.end();
  await network.run(Promise.all([download.readAll(), send()]));

  for (const event of trace.events) {
    if (INTERESTING.has(event.event))
      print(`${event.at.toFixed(1).padStart(7)} ms  ${formatTcpEvent(event)}`);
  }
  const statistics = upload.endpoint.statistics();
  if (statistics === null) throw new Error('the connection is there until it is closed');
  const { perf, path } = statistics;
  print(`${perf.segsRetrans} of ${perf.dataSegsOut} segments again, ${path.countRtt} round trips measured`);
  print(
    `held back by the path ${Math.round(perf.sndLimTimeCwnd)} ms, ` +
      `by the reader ${Math.round(perf.sndLimTimeRwin)} ms, by itself ${Math.round(perf.sndLimTimeSnd)} ms`,
  );
  network.close();
  return { events: trace.events, statistics };
}

const INTERESTING: ReadonlySet<string> = new Set(['state', 'lossStart', 'lossEnd', 'timeout', 'tailProbe']);
