/** A path for congestion controls without a connection: ACKs of what was in flight, a round trip later. */

import { AckSample } from '../../../../src/stack/tcp/congestion/ack-sample.ts';
import type { CongestionControl } from '../../../../src/stack/tcp/congestion/control.ts';

export const SMSS = 1000;

/** An ACK of `fields`, else one of a window that is full. */
export function ack(control: CongestionControl, fields: Partial<AckSample>): void {
  const sample = Object.assign(new AckSample(), { isCwndLimited: true, ...fields });
  if (fields.delivered === undefined) sample.delivered = sample.acked;
  control.onAck(sample);
}

/** Whole round trips with full windows, each acknowledged in `acks` equal parts. */
export class FullPath {
  readonly control: CongestionControl;
  now = 0;
  rtt: number;
  acks: number;
  #delivered = 0;

  constructor(control: CongestionControl, rtt: number, acks = 10) {
    this.control = control;
    this.rtt = rtt;
    this.acks = acks;
  }

  /** One round trip. @param fields what the ACKs say besides */
  round(fields: Partial<AckSample> = {}): void {
    const window = this.control.cwnd;
    const roundStart = this.#delivered;
    for (let i = 1; i <= this.acks; i++) {
      const acked = Math.floor((window * i) / this.acks) - Math.floor((window * (i - 1)) / this.acks);
      this.now += this.rtt / this.acks;
      this.#delivered += acked;
      ack(this.control, {
        now: this.now,
        acked,
        rtt: this.rtt,
        srtt: this.rtt,
        minRtt: this.rtt,
        inFlight: this.control.cwnd,
        priorDelivered: roundStart,
        totalDelivered: this.#delivered,
        ...fields,
      });
    }
  }

  rounds(count: number, fields?: Partial<AckSample>): void {
    for (let i = 0; i < count; i++) this.round(fields);
  }

  /** A loss and its recovery. */
  lose(): void {
    const { control } = this;
    control.onCongestion('loss', control.cwnd, this.now);
    control.onRecovered(control.cwnd, this.now);
    // The ACK that ends it.
    ack(control, { now: this.now, acked: 1000, srtt: this.rtt });
  }
}

export function started<T extends CongestionControl>(control: T, isSynLost = false): T {
  control.start(SMSS, isSynLost, 100, 0);
  return control;
}
