/**
 * Recordings of simulated networks, as pcapng in memory.
 */

import { TX_CAUSE, TX_COLUMNS } from '../base/index.ts';
import { type ByteSink, FrameCapture, PcapngWriter } from '../capture/index.ts';
import { CaptureRecorder, outboundComment } from '../engine/index.ts';
import type { MemorySegment } from '../link/index.ts';
import type { SimHost } from './host.ts';

/** Most bytes that a recording keeps; what comes after is counted and not kept. */
const MAX_BYTES = 256 << 20;

/** A recording under way. */
export class SimCapture implements ByteSink {
  #pieces: Uint8Array[] = [];
  #length = 0;
  #stop: () => void = () => {};
  /** Blocks that were too many to keep. */
  missed = 0;

  /** @param start begins recording into the writer that it is given; what it answers ends that */
  constructor(start: (writer: PcapngWriter) => () => void) {
    this.#stop = start(new PcapngWriter(this, { application: 'winsockd sim' }));
  }

  write(bytes: Uint8Array): void {
    if (this.#length + bytes.length > MAX_BYTES) {
      this.missed++;
      return;
    }
    this.#pieces.push(bytes.slice());
    this.#length += bytes.length;
  }

  /** The pcapng file so far. */
  bytes(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [whole];
    return whole;
  }

  /** Stops recording; what was recorded stays. */
  close(): void {
    this.#stop();
    this.#stop = () => {};
  }
}

/** Records what a host sends and receives, with its verdicts. @throws {RangeError} when somebody watches it already */
export function captureHost({ driver, stack, name }: SimHost): SimCapture {
  if (driver.tap !== null) throw new RangeError(`${name} is being watched already`);
  return new SimCapture((writer) => {
    driver.tap = new CaptureRecorder(stack, writer);
    return () => {
      driver.tap = null;
    };
  });
}

/** Records what enters a segment, one interface a port. @throws {RangeError} when somebody watches it already */
export function captureSegment(segment: MemorySegment, now: () => number): SimCapture {
  if (segment.tap !== null) throw new RangeError(`${segment.name} is being watched already`);
  const numbers = new Map<string, number>();
  return new SimCapture((writer) => {
    const capture = new FrameCapture(writer);
    segment.tap = (batch, index, port) => {
      let number = numbers.get(port.name);
      if (number === undefined) {
        number = capture.addInterface({ name: port.name, medium: segment.medium, mac: port.mac });
        numbers.set(port.name, number);
      }
      const cause = batch.table[index * TX_COLUMNS + TX_CAUSE] as number;
      capture.sent(number, now(), batch, index, outboundComment(batch.owners[index] ?? null, cause));
    };
    return () => {
      segment.tap = null;
    };
  });
}
