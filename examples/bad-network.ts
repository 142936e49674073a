/**
 * A file over networks that get worse and worse: hosts, wires and time are made of nothing but this process.
 * `docs/simulation.md` explains it; `test/sim/example.test.ts` runs it.
 */

import { createNetwork } from '../src/sim/index.ts';

/** What became of one transfer. */
export interface TransferReport {
  readonly loss: number;
  readonly intact: boolean;
  /** Virtual time that it took. */
  readonly ms: number;
  readonly retransmitted: number;
}

/** Sends `length` bytes over a path of 2 × 20 ms at each share of lost packets. */
export async function badNetwork(
  print: (line: string) => void,
  length = 300_000,
  losses: readonly number[] = [0, 0.01, 0.05, 0.1],
): Promise<TransferReport[]> {
  const reports: TransferReport[] = [];
  for (const loss of losses) {
    const network = createNetwork({ seed: 1 });
    const wire = network.segment({ mtu: 1500 });
    const server = network.host({ name: 'server', segment: wire, addresses: ['10.0.0.1/24'] });
    const client = network.host({
      name: 'client',
      segment: wire,
      addresses: ['10.0.0.2/24'],
      impair: { loss, delay: 20 },
    });
    const file = Uint8Array.from({ length }, (_, i) => i ^ (i >> 8));

    const listener = server.tcp.listen(80);
    const serve = async (): Promise<void> => {
      const stream = await listener.accept();
      await stream.write(file);
      stream.end();
      await stream.ended();
      stream.close();
    };
    const fetch = async (): Promise<Uint8Array> => {
      const stream = await client.tcp.connect('10.0.0.1', 80);
      const bytes = await stream.readAll();
      stream.close();
      return bytes;
    };
    const [bytes] = await network.run(Promise.all([fetch(), serve()]));

    const report = {
      loss,
      intact: bytes.length === length && bytes.every((byte, i) => byte === file[i]),
      ms: Math.round(network.now),
      retransmitted: server.stack.counters.tcpRetransSegs,
    };
    print(
      `${(loss * 100).toFixed(0)} % lost: ${length} bytes in ${report.ms} ms, ${report.retransmitted} segments again`,
    );
    reports.push(report);
    network.close();
  }
  return reports;
}
