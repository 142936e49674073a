/**
 * Our CUBIC beside the kernel's: how much passes in a minute over a bad path, each way between us and the kernel, and between
 * two kernels over the very same path, which our impaired link makes between their two devices. The share of what two kernels
 * reach is judged; medians of several runs, with a seed each.
 */

import { expect, test } from '@jest/globals';
import {
  FRAME_COLUMNS,
  FRAME_LENGTH,
  FRAME_OFFSET,
  type FrameBatch,
  parsePrefix,
  SeededRandom,
  seqDiff,
} from '../../src/base/index.ts';
import { RealTime } from '../../src/engine/index.ts';
import { TunLink } from '../../src/link/device/index.ts';
import { ImpairedLink, type ImpairSettings, type Link } from '../../src/link/index.ts';
import { DropReason, IPPROTO_TCP, Ipv4Header, parseIpv4, parseTcp, TcpHeader } from '../../src/wire/index.ts';
import { transmitBatchOf } from '../support/device-peer.ts';
import { KernelPeer } from '../support/kernel-peer.ts';
import { LiveHost, OURS, openTun } from '../support/live-host.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';
import { report, soak } from './report.ts';

/** More than passes in any run. */
const ENDLESS = 1e12;
const PORT = 5001;
const CHUNK = new Uint8Array(64 << 10);

/** Loss of data, and round trip. */
const PATHS = [
  { loss: 0.01, rtt: 50 },
  { loss: 0.001, rtt: 100 },
];

interface Path {
  readonly loss: number;
  readonly rtt: number;
  readonly seed: number;
}

/** Data is lost at random, ACKs are not; each direction takes half of the round trip. */
function towardsReceiver({ loss, rtt }: Path): ImpairSettings {
  return { loss, delay: rtt / 2 };
}

function towardsSender({ rtt }: Path): ImpairSettings {
  return { delay: rtt / 2 };
}

/** Lets the transfer go on for the time asked for. @returns bits a second in between, in Mbit/s */
async function measure(count: () => number): Promise<number> {
  const [bytes, start] = [count(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, soak.seconds * 1000));
  return ((count() - bytes) * 8) / (performance.now() - start) / 1000;
}

/** A host of ours with the kernel at the other end of its device; without offloads, as the kernels between themselves. */
function makeHost(path: Path, isSender: boolean): LiveHost {
  const host = new LiveHost({
    offload: false,
    seed: path.seed,
    outbound: isSender ? towardsReceiver(path) : towardsSender(path),
    inbound: isSender ? towardsSender(path) : towardsReceiver(path),
    peerLimitMs: soak.seconds * 1000 + 60_000,
  });
  return host;
}

async function oursToKernel(path: Path): Promise<number> {
  const host = makeHost(path, true);
  try {
    await host.kernelServer('serve-recv', PORT);
    const stream = await host.connect(PORT);
    let written = 0;
    const pump = async (): Promise<void> => {
      for (;;) {
        await stream.write(CHUNK);
        written += CHUNK.length;
      }
    };
    const pumping = pump().catch(() => {}); // Ends when the host is closed.
    const result = await measure(() => written - stream.endpoint.unsentBytes);
    stream.abort();
    await pumping;
    return result;
  } finally {
    host.close();
  }
}

async function kernelToOurs(path: Path): Promise<number> {
  const host = makeHost(path, false);
  try {
    const listener = host.listen(PORT);
    host.kernel('send', OURS, PORT, ENDLESS, '--congestion', 'cubic');
    const stream = await listener.accept();
    let read = 0;
    const drain = async (): Promise<void> => {
      for (let part = await stream.read(); part !== null; part = await stream.read()) read += part.length;
    };
    const draining = drain().catch(() => {});
    const result = await measure(() => read);
    stream.abort();
    await draining;
    return result;
  } finally {
    host.close();
  }
}

/** Two kernels, each with a device; what one sends the other gets by way of an impaired link. */
async function kernelToKernel(path: Path): Promise<number> {
  const [sender, receiver] = [createNamespace(), createNamespace()];
  const near = openTun(sender, { offload: false });
  const far = openFarTun(receiver);
  const impaired = new ImpairedLink({
    link: far,
    scheduler: new RealTime(),
    random: new SeededRandom(path.seed),
    outbound: towardsReceiver(path),
    inbound: towardsSender(path),
  });
  const meter = new AckMeter();
  relay(near, impaired, () => {});
  relay(impaired, near, (packet) => meter.see(packet));
  try {
    const limit = soak.seconds * 1000 + 60_000;
    await new KernelPeer(receiver, ['serve-recv', PORT], limit).said('READY');
    new KernelPeer(sender, ['send', OURS, PORT, ENDLESS, '--congestion', 'cubic'], limit);
    while (meter.acknowledged === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return await measure(() => meter.acknowledged);
  } finally {
    near.close();
    impaired.close();
    sender.remove();
    receiver.remove();
  }
}

function openFarTun(space: Namespace): TunLink {
  const link = TunLink.create({ name: 'tun0', namespace: space.name, mtu: 1500, offload: 0 });
  const prefix = parsePrefix(`${OURS}/24`);
  if (prefix === null) throw new Error(OURS);
  link.device.addAddress(prefix);
  link.device.queueLength = 1000;
  link.device.isUp = true;
  return link;
}

/** Hands on what `from` receives to `to`. */
function relay(from: Link, to: Link, look: (packet: Uint8Array) => void): void {
  from.open({
    receive: (batch: FrameBatch) => {
      for (let row = 0; row < batch.count * FRAME_COLUMNS; row += FRAME_COLUMNS) {
        const at = batch.table[row + FRAME_OFFSET] as number;
        const packet = batch.bytes.slice(at, at + (batch.table[row + FRAME_LENGTH] as number));
        look(packet);
        to.transmit(transmitBatchOf({ header: new Uint8Array(0), payload: packet }));
      }
    },
    drained: () => {},
    failed: () => {},
  });
}

/** How far the receiver has acknowledged. */
class AckMeter {
  acknowledged = 0;
  #last: number | null = null;
  readonly #ip = new Ipv4Header();
  readonly #tcp = new TcpHeader();

  see(packet: Uint8Array): void {
    if (
      parseIpv4(packet, 0, packet.length, this.#ip) !== DropReason.none ||
      this.#ip.protocol !== IPPROTO_TCP
    )
      return;
    if (parseTcp(packet, this.#ip.payloadAt, this.#ip.end, this.#tcp) !== DropReason.none) return;
    const step = this.#last === null ? 0 : seqDiff(this.#tcp.ack, this.#last);
    this.#last = this.#last === null || step > 0 ? this.#tcp.ack : this.#last;
    this.acknowledged += Math.max(0, step);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

describePrivileged('RFC 9438 CUBIC beside the kernel’s', () => {
  test.each(PATHS)(
    'over loss $loss and $rtt ms, each way reaches what two kernels do',
    async ({ loss, rtt }) => {
      const results = { reference: [] as number[], out: [] as number[], in: [] as number[] };
      for (let i = 0; i < soak.runs; i++) {
        const path = { loss, rtt, seed: soak.seed + i };
        results.reference.push(await kernelToKernel(path));
        results.out.push(await oursToKernel(path));
        results.in.push(await kernelToOurs(path));
      }
      const reference = median(results.reference);
      const ratios = (['out', 'in'] as const).map((direction) => {
        const reached = median(results[direction]);
        const ratio = reached / reference;
        report({
          ...{ 'loss %': loss * 100, 'rtt ms': rtt },
          ...{ direction: direction === 'out' ? 'ours → kernel' : 'kernel → ours', runs: soak.runs },
          ...{
            'Mbit/s': reached.toFixed(2),
            'kernels Mbit/s': reference.toFixed(2),
            ratio: ratio.toFixed(2),
          },
          verdict: isEven(ratio) ? 'ok' : 'FAILED',
        });
        return ratio;
      });
      expect(ratios.filter((ratio) => !isEven(ratio))).toEqual([]);
    },
  );
});

/** As much as two kernels reach, give or take what chance does in a minute. */
function isEven(ratio: number): boolean {
  return ratio >= 0.8 && ratio <= 1.25;
}
