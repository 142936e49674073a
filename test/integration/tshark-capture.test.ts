/**
 * The engine's own recording of real traffic, read by tshark: super-segments are recorded as the packets that a wire would
 * carry, so that every checksum can be judged with offloads too; and without offloads it is, packet for packet, what tcpdump
 * sees on the device.
 */

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { PcapngFile } from '../../src/capture/files/index.ts';
import { readCapture } from '../../src/capture/index.ts';
import { CaptureRecorder } from '../../src/engine/index.ts';
import { complaintsAbout, Judge, tsharkLines } from '../support/judge.ts';
import type { Digest } from '../support/kernel-peer.ts';
import { DEVICE, KERNEL, LiveHost, MODES, OURS, until } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';
import { receiveHashed, sendHashed } from '../support/transfer.ts';

const MB = 1 << 20;
const LIMIT = 60_000;

// A busy machine is slow; what hangs is told by its own words sooner.
jest.setTimeout(60_000);

describePrivileged("the engine's recording of traffic with the kernel", () => {
  describe.each(MODES)('$mode', ({ mtu, offload }) => {
    const folder = mkdtempSync(join(tmpdir(), 'winsockd-capture-'));
    const path = join(folder, 'engine.pcapng');
    let host: LiveHost;
    let judge: Judge;

    const lines = (filter: string, ...fields: string[]) =>
      tsharkLines(host.space, path, [
        '-Y',
        filter,
        '-T',
        'fields',
        ...fields.flatMap((field) => ['-e', field]),
      ]);

    beforeAll(async () => {
      host = new LiveHost({ mtu, offload });
      judge = await Judge.start(host.space, DEVICE);
      const file = new PcapngFile(path, { application: 'winsockd' });
      host.driver.tap = new CaptureRecorder(host.stack, file.writer, { epoch: performance.timeOrigin });
      await traffic(host);
      await judge.stop();
      host.driver.tap = null;
      file.close();
    }, LIMIT);
    afterAll(() => {
      judge.remove();
      host.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test('tshark has nothing against any packet in it', async () => {
      // Where the kernel completes a checksum itself, it writes 0xffff for 0, for TCP too, and tshark disapproves.
      const filter = offload ? 'ip' : `ip.src == ${OURS}`;
      expect((await lines(`ip.src == ${OURS}`, 'frame.number')).length).toBeGreaterThan(50);
      expect(await complaintsAbout(host.space, path, filter, { hasChecksums: true })).toEqual([]);
    });

    test('no packet is larger than the MTU, whatever crossed the device', async () => {
      expect(await lines(`ip.len > ${mtu}`, 'frame.number')).toEqual([]);
    });

    test('every segment that we sent names its socket and why it was sent', async () => {
      const comments = new Set(await lines(`ip.src == ${OURS} && tcp.srcport == 5001`, 'frame.comment'));
      const socket = `tcp ${OURS}:5001 ↔ ${KERNEL}:`;
      expect(
        [...comments].filter((comment) => !comment.startsWith(socket) || !comment.includes(' · ')),
      ).toEqual([]);
      expect(comments.size).toBeGreaterThan(2);
      expect(await lines(`ip.src == ${OURS} && tcp && !frame.comment`, 'frame.number')).toEqual([]);
    });

    test('what was dropped says by which rule', async () => {
      const [comment] = await lines('udp.dstport == 7999 && !icmp', 'frame.comment');
      expect(comment).toMatch(/^dropped: udpNoListener \(RFC 1122 §4\.1\.3\.1\)/);
    });

    test('times go forward', async () => {
      const times = (await lines('frame', 'frame.time_epoch')).map(Number);
      expect(Math.abs((times[0] as number) * 1000 - Date.now())).toBeLessThan(LIMIT);
      expect(times.filter((time, i) => i > 0 && time < (times[i - 1] as number))).toEqual([]);
    });

    if (!offload) {
      test('what we sent is in it byte for byte as tcpdump saw it on the device', () => {
        const ours = (file: string): string[] =>
          [...readCapture(readFileSync(file))]
            .map(({ bytes }) => Buffer.from(bytes))
            .filter((packet) => packet.subarray(12, 16).join('.') === OURS)
            .map((packet) => createHash('sha256').update(packet).digest('hex'));
        const recorded = ours(path);
        expect(recorded.length).toBeGreaterThan(50);
        expect(recorded).toEqual(ours(judge.file));
      });
    }
  });
});

/** Some of everything. */
async function traffic(host: LiveHost): Promise<void> {
  const listener = host.listen(5001);
  const sender = host.kernel('send', OURS, 5001, 4 * MB);
  const up = await listener.accept();
  const received = await receiveHashed(up);
  up.close();
  expect(received).toEqual(await sender.result<Digest>());
  const server = await host.kernelServer('serve-recv', 6001);
  const down = await host.connect(6001);
  const sent = await sendHashed(down, 4 * MB);
  expect(await server.result<Digest>()).toEqual(sent);
  down.close();
  listener.close();
  await host.space.run(['ping', '-c', '2', '-l', '2', '-s', '4000', OURS]);
  await host.kernel('refused', OURS, 5999).result();
  await host.kernel('udp-refused', OURS, 7999).result();
  const socket = host.udp(7000);
  const asker = host.kernel('udp-ask', OURS, 7000, 9000, 3);
  for (let i = 0; i < 3; i++) {
    const { bytes, source, sourcePort } = await socket.receive();
    socket.send(bytes, source, sourcePort);
  }
  await asker.result();
  socket.close();
  // Its connections have sent their last word.
  await until('connections ended', () =>
    [...host.stack.endpoints()].every((endpoint) => 'state' in endpoint && endpoint.state === 'TIME-WAIT'),
  );
}
