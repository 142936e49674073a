import { describe, expect, test } from '@jest/globals';
import { embed } from '../../examples/embed.ts';

describe('examples/embed.ts', () => {
  test('two hosts in virtual time echo a datagram after one round trip, and upload 200 KB over TCP', () => {
    const lines: string[] = [];
    const report = embed((line) => lines.push(line));
    expect(report.echo).toBe('hello over a wire that is not there');
    expect(report.echoMs).toBe(40);
    expect(report.uploadedBytes).toBe(200_000);
    // A handshake, then slow start from 10 segments (RFC 6928): 15, 30, 60 … KB a round trip.
    expect(report.uploadMs).toBeGreaterThanOrEqual(40 * 4);
    expect(report.uploadMs).toBeLessThanOrEqual(40 * 10);
    expect(report.srttMs).toBeGreaterThanOrEqual(40);
    expect(lines).toHaveLength(3);
  });

  test('a second run gives the same figures: nothing depends on the machine', () => {
    expect(embed(() => {})).toEqual(embed(() => {}));
  });
});
