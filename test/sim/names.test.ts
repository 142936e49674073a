/** Names on hosts of a simulated network: `HostNames` over their stacks, with a bad wire between them. */

import { expect, test } from '@jest/globals';
import { SeededRandom } from '../../src/base/index.ts';
import { RecordType, recordText } from '../../src/names/index.ts';
import { HostNames, takeNameEvent } from '../../src/nameservice/index.ts';
import { createNetwork } from '../../src/sim/index.ts';

test('RFC 6762 §8, §9 ten hosts of one name, over a wire that loses a tenth, end with ten names, and find each other', async () => {
  const network = createNetwork({ seed: 4 });
  const wire = network.segment();
  const hosts = Array.from({ length: 10 }, (_, n) => {
    const host = network.host({
      name: `h${n}`,
      segment: wire,
      addresses: [`10.0.0.${n + 1}/24`],
      impair: { loss: 0.05, delay: 2, jitter: 3 },
      observer: takeNameEvent,
    });
    const { stack } = host;
    const random = new SeededRandom(n + 1);
    return new HostNames({
      stack,
      scheduler: network.time,
      random,
      hostName: 'twin',
      mdns: true,
      responder: true,
    });
  });
  await network.run(60_000);
  const names = hosts.map(({ responder }) => responder?.hostName ?? '');
  expect(new Set(names).size).toBe(10);
  expect(names.sort()[0]).toBe('twin-10.local');
  const port = hosts[0]?.openSession();
  const found = await network.run(
    Promise.all(
      hosts.map(({ responder }) => port?.resolve({ name: responder?.hostName ?? '', types: [RecordType.A] })),
    ),
  );
  const addresses = found.map((answer) => answer?.records.map((record) => recordText(record)).join());
  expect(addresses.filter((address) => address !== '')).toHaveLength(10);
  expect(addresses).toEqual(hosts.map((_, n) => `10.0.0.${n + 1}`));
  for (const each of hosts) each.close();
  network.close();
});
