/** A link over a device that is a script: what it does when the device is full, gone, or has more than one turn's worth. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  createTransmitBatch,
  FRAME_LENGTH,
  type FrameBatch,
  flattenFrame,
  type TransmitBatch,
  TX_COLUMNS,
  TX_CSUM_START,
  TX_FLAGS,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD1_OFFSET,
  TX_PAYLOAD2_LENGTH,
  TX_PAYLOAD2_OFFSET,
  transmitLength,
} from '../../../src/base/index.ts';
import { Backlog } from '../../../src/link/device/backlog.ts';
import { DeviceLink, type DeviceLinkLimits, type FrameDevice } from '../../../src/link/device/index.ts';
import type { LinkReceiver } from '../../../src/link/link.ts';

const READABLE = 1;
const WRITABLE = 2;

/** Takes `room` frames, then is full; gives the frames in `inbound`. */
class ScriptedDevice implements FrameDevice {
  readonly name = 'script0';
  readonly offload = 0;
  dropped = 0;
  room = Number.POSITIVE_INFINITY;
  inbound = 0;
  readError: Error | null = null;
  writeError: Error | null = null;
  isClosed = false;
  interest = 0;
  readonly written: string[] = [];
  #ready: (events: number) => void = () => {};

  readBatch(batch: FrameBatch): number {
    if (this.readError !== null) throw this.readError;
    batch.count = Math.min(this.inbound, batch.table.length / 8);
    this.inbound -= batch.count;
    for (let i = 0; i < batch.count; i++) batch.table[i * 8 + FRAME_LENGTH] = 20;
    return batch.count;
  }

  writeBatch(batch: TransmitBatch, first = 0): number {
    if (this.writeError !== null) throw this.writeError;
    let done = 0;
    for (let i = first; i < batch.count && this.room > 0; i++, done++, this.room--)
      this.written.push(flat(batch, i));
    return done;
  }

  watch(interest: number, ready: (events: number) => void): void {
    this.interest = interest;
    this.#ready = ready;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The event loop finds the device ready. */
  ready(events: number): void {
    this.#ready(events & this.interest);
  }

  /** The event loop finds the device gone. */
  gone(): void {
    this.#ready(0);
  }
}

class Recorder implements LinkReceiver {
  readonly log: string[] = [];

  receive(batch: FrameBatch, hasMore = false): void {
    this.log.push(`received ${batch.count}${hasMore ? ', more' : ''}`);
  }

  drained(): void {
    this.log.push('drained');
  }

  failed(error: Error): void {
    this.log.push(`failed ${error.message}`);
  }
}

function flat(batch: TransmitBatch, index: number): string {
  const bytes = new Uint8Array(transmitLength(batch, index));
  flattenFrame(batch, index, bytes, 0);
  return Buffer.from(bytes).toString('latin1');
}

/** Frames whose header is the text before the bar, and whose payload, in two ranges, the text behind it. */
function batchOf(...texts: string[]): TransmitBatch {
  const batch = createTransmitBatch(Math.max(1, texts.length));
  for (const text of texts) {
    const [head = '', body = ''] = text.split('|');
    const header = Buffer.from(head, 'latin1');
    const payload = Buffer.from(body, 'latin1');
    const row = batch.count * TX_COLUMNS;
    const half = payload.length >> 1;
    batch.headers.set(header, batch.headerEnd);
    batch.table[row + TX_HEADER_OFFSET] = batch.headerEnd;
    batch.table[row + TX_HEADER_LENGTH] = header.length;
    // The ring has wrapped: the first half of the payload lies behind the second.
    batch.payloads[batch.count] = Buffer.concat([payload.subarray(half), payload.subarray(0, half)]);
    batch.table[row + TX_PAYLOAD1_OFFSET] = payload.length - half;
    batch.table[row + TX_PAYLOAD1_LENGTH] = half;
    batch.table[row + TX_PAYLOAD2_OFFSET] = 0;
    batch.table[row + TX_PAYLOAD2_LENGTH] = payload.length - half;
    batch.table[row + TX_FLAGS] = 1;
    batch.table[row + TX_CSUM_START] = 20 + batch.count;
    batch.headerEnd += header.length;
    batch.count++;
  }
  return batch;
}

let device: ScriptedDevice;
let receiver: Recorder;

function openLink(limits: DeviceLinkLimits = {}): DeviceLink {
  const link = new DeviceLink(
    device,
    { mtu: 1500, medium: 'ip', mac: null, receiveQueue: 0 },
    { arenaBytes: 70_000, ...limits },
  );
  link.open(receiver);
  return link;
}

beforeEach(() => {
  device = new ScriptedDevice();
  receiver = new Recorder();
});

describe('DeviceLink, writing', () => {
  test('a device with room gets the batch as it is, and the caller goes on', () => {
    const link = openLink();
    expect(link.transmit(batchOf('a|bc', 'd'))).toBe(true);
    expect(device.written).toEqual(['abc', 'd']);
    expect(device.interest).toBe(READABLE);
  });

  test('a full device leaves the rest in the backlog: the caller holds, and hears when all of it is out', () => {
    const link = openLink();
    device.room = 1;
    expect(link.transmit(batchOf('1|one', '2|two', '3|three'))).toBe(false);
    expect(device.interest).toBe(READABLE | WRITABLE);
    device.room = 1;
    device.ready(WRITABLE);
    expect([device.written, receiver.log]).toEqual([['1one', '2two'], []]);
    device.room = 5;
    device.ready(WRITABLE);
    expect([device.written, receiver.log]).toEqual([['1one', '2two', '3three'], ['drained']]);
    expect([device.interest, link.dropped]).toEqual([READABLE, 0]);
  });

  test('what is sent while frames wait goes behind them', () => {
    const link = openLink();
    device.room = 0;
    link.transmit(batchOf('1'));
    device.room = 9;
    expect(link.transmit(batchOf('2'))).toBe(false);
    expect(device.written).toEqual([]);
    device.ready(WRITABLE);
    expect(device.written).toEqual(['1', '2']);
  });

  test('frames are copied: the caller may reuse its memory at once', () => {
    const link = openLink();
    device.room = 0;
    const batch = batchOf('head|payload');
    link.transmit(batch);
    batch.headers.fill(0);
    (batch.payloads[0] as Uint8Array).fill(0);
    device.room = 1;
    device.ready(WRITABLE);
    expect(device.written).toEqual(['headpayload']);
  });

  test('past the bound of frames or of bytes they are lost and counted, smaller ones still fit', () => {
    const link = openLink({ backlogFrames: 2, backlogBytes: 10 });
    device.room = 0;
    link.transmit(batchOf('123456', '1234567', '1234', '1'));
    expect(link.dropped).toBe(2);
    device.room = 9;
    device.ready(WRITABLE);
    expect(device.written).toEqual(['123456', '1234']);
  });

  test('what the device refuses counts as dropped too', () => {
    const link = openLink();
    device.dropped = 3;
    expect(link.dropped).toBe(3);
  });

  test('a device that is gone ends the link after the call, once, and the frames count as lost', async () => {
    const link = openLink();
    device.writeError = new Error('gone');
    expect(link.transmit(batchOf('1', '2'))).toBe(true);
    expect(receiver.log).toEqual([]);
    await Promise.resolve();
    expect([receiver.log, device.isClosed, link.dropped]).toEqual([['failed gone'], true, 2]);
    device.gone();
    expect(receiver.log).toEqual(['failed gone']);
  });

  test.each(['RangeError', 'TypeError'])('a %s is the caller’s and passes', (name) => {
    const link = openLink();
    device.writeError = Object.assign(new Error('mine'), { name });
    expect(() => link.transmit(batchOf('1'))).toThrow('mine');
    expect(device.isClosed).toBe(false);
  });

  test('before it is opened it sends already; closed, it counts', () => {
    const link = new DeviceLink(device, { mtu: 1500, medium: 'ip', mac: null, receiveQueue: 0 });
    expect(link.transmit(batchOf('early'))).toBe(true);
    expect(device.written).toEqual(['early']);
    link.close();
    link.close();
    expect(link.transmit(batchOf('late', 'later'))).toBe(true);
    expect(link.dropped).toBe(2);
  });
});

describe('DeviceLink, reading', () => {
  test('at most so many batches are read before the loop has its turn', () => {
    openLink({ batchFrames: 4, batchesPerTurn: 3 });
    device.inbound = 18;
    device.ready(READABLE);
    expect(receiver.log).toEqual(['received 4, more', 'received 4, more', 'received 4']);
    device.ready(READABLE);
    expect(receiver.log.slice(3)).toEqual(['received 4, more', 'received 2']);
  });

  test('a batch with room left is the last of its turn', () => {
    openLink({ batchFrames: 4 });
    device.inbound = 3;
    device.ready(READABLE);
    expect(receiver.log).toEqual(['received 3']);
  });

  test('given a device that is empty after a full batch, an empty one says that no more comes', () => {
    openLink({ batchFrames: 4 });
    device.inbound = 4;
    device.ready(READABLE);
    expect(receiver.log).toEqual(['received 4, more', 'received 0']);
  });

  test('a receiver that closes the link gets nothing more', () => {
    const link = openLink({ batchFrames: 1 });
    receiver.receive = () => {
      receiver.log.push('received, closing');
      link.close();
    };
    device.inbound = 5;
    device.ready(READABLE);
    expect(receiver.log).toEqual(['received, closing']);
  });

  test('a read that fails ends the link with its error', () => {
    openLink();
    device.readError = new Error('removed');
    device.ready(READABLE);
    expect([receiver.log, device.isClosed]).toEqual([['failed removed'], true]);
  });

  test('a device that is gone is read to its end first', () => {
    openLink();
    device.inbound = 2;
    device.gone();
    expect(receiver.log).toEqual(['received 2', 'failed script0 is gone']);
  });

  test('it is opened once', () => {
    const link = openLink();
    expect(() => link.open(receiver)).toThrow(TypeError);
  });
});

describe('Backlog', () => {
  test('a row keeps its description, with both payload ranges as one', () => {
    const backlog = new Backlog(4, 100);
    expect(backlog.append(batchOf('x', 'head|payload'), 1)).toBe(0);
    const batch = backlog.batch as TransmitBatch;
    expect([batch.count, flat(batch, 0)]).toEqual([1, 'headpayload']);
    expect([
      batch.table[TX_HEADER_LENGTH],
      batch.table[TX_PAYLOAD1_LENGTH],
      batch.table[TX_PAYLOAD2_LENGTH],
    ]).toEqual([4, 7, 0]);
    expect([batch.table[TX_FLAGS], batch.table[TX_CSUM_START]]).toEqual([1, 21]);
  });

  test('it is a bounded queue: whatever is appended and taken, in order, nothing twice, losses told', () => {
    const step = fc.oneof(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', '|'), maxLength: 8 }), { maxLength: 6 }),
      fc.nat({ max: 5 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const backlog = new Backlog(5, 24);
        const model: string[] = [];
        for (const action of steps) {
          if (typeof action === 'number') {
            const count = Math.min(action, model.length);
            const batch = backlog.batch;
            for (let i = 0; i < count; i++) {
              expect(flat(batch as TransmitBatch, backlog.first + i)).toBe(model[i]);
            }
            if (batch !== null) backlog.advance(count);
            model.splice(0, count);
          } else {
            const frames = action.map((text) => text.split('|').slice(0, 2).join('|'));
            let lost = 0;
            for (const frame of frames) {
              const bytes = frame.replace('|', '');
              const fits = model.length < 5 && model.join('').length + bytes.length <= 24;
              if (fits) model.push(bytes);
              else lost++;
            }
            expect(backlog.append(batchOf(...frames), 0)).toBe(lost);
          }
          expect(backlog.isEmpty).toBe(model.length === 0);
        }
      }),
    );
  });
});
