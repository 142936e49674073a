import { expect, test } from '@jest/globals';
import { badNetwork } from '../../examples/bad-network.ts';

test('examples/bad-network.ts: every byte arrives, the later the more is lost, and twice the same', async () => {
  const lines: string[] = [];
  const reports = await badNetwork((line) => lines.push(line), 150_000);
  expect(reports.map(({ intact }) => intact)).toEqual([true, true, true, true]);
  expect(reports[0]).toMatchObject({ retransmitted: 0 });
  const [first, , , last] = reports.map(({ ms }) => ms);
  expect(last).toBeGreaterThan(first as number);
  expect(lines).toHaveLength(4);
  const again: string[] = [];
  await badNetwork((line) => again.push(line), 150_000);
  expect(again).toEqual(lines);
});
