/** ICMP errors that quote real segments, and are lies: a connection goes on, and its bytes arrive. */

import { describe, expect, test } from '@jest/globals';
import {
  createFrameBatch,
  FRAME_LENGTH,
  FRAME_OFFSET,
  flattenFrame,
  formatV4,
  i32,
  putI32,
  putU16,
  randomBelow,
  SeededRandom,
  type TransmitBatch,
  transmitLength,
} from '../../src/base/index.ts';
import { type Link, LinkDecorator } from '../../src/link/index.ts';
import { createNetwork } from '../../src/sim/index.ts';
import { DropReason } from '../../src/wire/index.ts';
import { sha256, testBytes } from '../sim/support.ts';
import { icmpPacket } from '../support/segment.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20260601);
const BYTES = 400_000;
const MTUS = [0, 1, 67, 68, 69, 296, 551, 552, 553, 576, 1000, 1280, 1400, 1499, 1500, 1501, 9000, 65_535];
/** What the least believed MTU leaves, with timestamps (see `LEAST_PATH_MTU`). */
const LEAST_SMSS = 552 - 52;

/** A link beside which somebody reads along and forges errors about what is sent. */
class Liar extends LinkDecorator {
  isLying = false;
  lies = 0;
  readonly #random: SeededRandom;

  constructor(link: Link, random: SeededRandom) {
    super(link);
    this.#random = random;
  }

  override transmit(batch: TransmitBatch): boolean {
    const isClear = super.transmit(batch);
    for (let i = 0; this.isLying && i < batch.count; i++) {
      if (randomBelow(this.#random, 3) > 0) continue;
      const packet = new Uint8Array(transmitLength(batch, i));
      flattenFrame(batch, i, packet, 0);
      this.#lieAbout(packet);
    }
    return isClear;
  }

  #lieAbout(packet: Uint8Array): void {
    const random = this.#random;
    const pick = <T>(of: readonly T[]): T => of[randomBelow(random, of.length)] as T;
    const quote = packet.slice(0, pick([28, 28, 28, 40, 200, packet.length, randomBelow(random, 40)]));
    const mutation = randomBelow(random, 8);
    if (quote.length >= 28) {
      if (mutation === 0) putI32(quote, 24, (i32(quote, 24) + pick([-1, 1, -100_000, 100_000])) | 0);
      if (mutation === 1) putI32(quote, 24, random.next());
      if (mutation === 2) putU16(quote, 2, randomBelow(random, 0x1_0000));
      if (mutation === 3) quote[6] = 0;
      if (mutation === 4) quote[randomBelow(random, 28)] = random.next();
    }
    const type = pick([3, 3, 3, 3, 4, 5, 11, 12]);
    const code = type === 3 && random.next() > 0 ? 4 : randomBelow(random, 16);
    const message = icmpPacket({
      type,
      code,
      rest: pick(MTUS),
      payload: quote,
      src: pick(['10.0.0.2', '10.0.0.254', '192.0.2.7']),
      dst: formatV4(i32(packet, 12)),
    });
    const batch = createFrameBatch(1, message.length);
    batch.bytes.set(message);
    batch.table[FRAME_OFFSET] = 0;
    batch.table[FRAME_LENGTH] = message.length;
    batch.count = 1;
    this.lies++;
    this.receiver?.receive(batch);
  }
}

describe('RFC 5927 forged ICMP errors', () => {
  test.each([0, 1, 2, 3, 4, 5])(
    'given many about real segments, bytes arrive and segments stay sensible (%i)',
    async (n) => {
      const network = createNetwork({ seed: SEED + n });
      const wire = network.segment();
      const random = new SeededRandom(SEED + n);
      const [left, right] = [network.host({ name: 'left' }), network.host({ name: 'right' })];
      const liar = new Liar(wire.port({ name: 'left' }), random);
      left.attach(liar, { addresses: ['10.0.0.1/24'], outbound: { delay: 5, loss: n % 2 === 0 ? 0 : 0.02 } });
      right.attach(wire.port({ name: 'right' }), { addresses: ['10.0.0.2/24'] });
      const listener = right.tcp.listen(80);
      const [client, server] = await network.run(
        Promise.all([left.tcp.connect('10.0.0.2', 80), listener.accept()]),
      );
      liar.isLying = true;
      const bytes = testBytes(BYTES, n + 1);
      const [received] = await network.run(Promise.all([server.readExactly(BYTES), client.write(bytes)]));
      expect(sha256(received)).toBe(sha256(bytes));
      expect(client.endpoint.state).toBe('ESTABLISHED');
      expect(client.endpoint.info().mss).toBeGreaterThanOrEqual(LEAST_SMSS);
      expect(liar.lies).toBeGreaterThan(50);
      const { drops } = left.stack.counters;
      expect(drops[DropReason.icmpNotInFlight]).toBeGreaterThan(0);
      expect(drops[DropReason.icmpMtuImplausible]).toBeGreaterThan(0);
      listener.close();
    },
  );
});
