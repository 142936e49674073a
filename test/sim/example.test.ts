import { expect, test } from '@jest/globals';
import { badNetwork } from '../../examples/bad-network.ts';
import { observing } from '../../examples/observing.ts';

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

test('examples/observing.ts: loss episodes as they happen, figures that agree with them, and twice the same', async () => {
  const lines: string[] = [];
  const { events, statistics } = await observing((line) => lines.push(line));
  const { perf, stack } = statistics;
  expect(perf.segsRetrans).toBeGreaterThan(0);
  const episodes = events.filter(({ event }) => event === 'lossStart').length;
  expect(episodes).toBeGreaterThan(0);
  expect(stack.fastRetran + perf.timeouts).toBe(episodes);
  expect(lines.filter((line) => line.includes('loss episode begins'))).toHaveLength(episodes);
  expect(events.filter(({ event }) => event === 'lossEnd')).toHaveLength(episodes);
  expect(lines[0]).toMatch(/^ +\d+\.\d ms {2}CLOSED → SYN-RECEIVED$/);
  expect(lines.at(-1)).toMatch(/^held back by the path \d+ ms, by the reader \d+ ms, by itself \d+ ms$/);
  const again: string[] = [];
  await observing((line) => again.push(line));
  expect(again).toEqual(lines);
});
