import { describe, expect, test } from '@jest/globals';
import type { AckSample } from '../../../../src/stack/tcp/congestion/ack-sample.ts';
import { NewReno } from '../../../../src/stack/tcp/congestion/newreno.ts';
import { tcpOptions } from '../../../support/segment.ts';
import { acceptOne, makeTcpHost, PLAIN_SYN, pattern } from '../support.ts';
import { MSS, makeSender, type Sender } from './support.ts';

const at = (segment: number): number => segment * MSS;

/** A control that keeps what each ACK's sample said of the application. */
class Recorder extends NewReno {
  readonly limited: boolean[] = [];

  override onAck(sample: AckSample): void {
    this.limited.push(sample.isAppLimited);
    super.onAck(sample);
  }
}

interface Recorded extends Sender {
  /** Acknowledges `acked` bytes a round trip after now. @returns what congestion control heard: RS.is_app_limited of each ACK */
  sample(acked: number): boolean[];
}

function recorded(peer = {}): Recorded {
  const control = new Recorder();
  const sender = makeSender(100, peer, { congestionControl: () => control });
  return Object.assign(sender, {
    sample: (acked: number): boolean[] => {
      sender.host.now += 100;
      control.limited.length = 0;
      sender.ack(acked);
      return [...control.limited];
    },
  });
}

describe('draft-ietf-ccwg-bbr Detecting Application-Limited Phases', () => {
  test('an application that writes less than the window each round trip limits the samples', () => {
    const sender = recorded();
    for (let i = 0; i < 5; i++) {
      sender.write(MSS);
      expect(sender.sample(at(i + 1))).toEqual([true]);
    }
  });

  test('one that keeps more in the buffer than the window takes does not, once what it began with is delivered', () => {
    const sender = recorded();
    sender.write(100 * MSS);
    // Nothing was in flight when it wrote for the first time.
    expect(sender.sample(at(2))).toEqual([true]);
    expect(sender.sample(at(10))).toEqual([true]);
    // Sent when the first two were delivered.
    expect(sender.sample(at(12))).toEqual([false]);
    expect(sender.sample(at(14))).toEqual([false]);
  });

  test('a pause limits what is sent after it, until all is delivered that was in flight then', () => {
    const sender = recorded();
    sender.write(40 * MSS);
    sender.sample(at(10));
    expect(sender.sample(at(30))).toEqual([false]);
    // The last of it was sent while there was more, and fills the window no longer.
    sender.host.now += 50;
    sender.write(2 * MSS);
    expect(sender.sample(at(40))).toEqual([false]);
    expect(sender.sample(at(42))).toEqual([true]);
    // Again more than the window takes: the first of it follows a pause, the rest does not.
    const first = sender.write(100 * MSS).length;
    expect(sender.sample(at(42 + first))).toEqual([true]);
    expect(sender.sample(at(42 + 2 * first))).toEqual([false]);
  });

  test('text that waits for the peer’s window is no pause of the application', () => {
    const control = new Recorder();
    const c = acceptOne(makeTcpHost({ congestionControl: () => control }), PLAIN_SYN, 4 * MSS);
    c.socket.write(pattern(40 * MSS), 0, 40 * MSS);
    c.host.out();
    for (let i = 0; i < 5; i++) {
      c.host.now += 100;
      c.ack += 4 * MSS;
      expect(c.exchange()).toHaveLength(4);
    }
    // The first flight followed a pause; no other did.
    expect(control.limited).toEqual([true, false, false, false, false]);
  });

  test('a copy of what was lost is sent after a pause when the window had room, and nothing else to fill it', () => {
    const sender = recorded();
    sender.write(20 * MSS);
    sender.sample(at(10));
    expect(sender.sample(at(18))).toEqual([false]);
    sender.ack(at(18), [at(19), at(20)]);
    expect(sender.pass(1000)).toEqual([[at(18), MSS]]);
    expect(sender.sample(at(20))).toEqual([true]);
  });

  test('text that is lost and waits to be sent again when the application writes is no pause', () => {
    const control = new Recorder();
    const host = makeTcpHost({ congestionControl: () => control });
    const c = acceptOne(host, tcpOptions({ mss: MSS, sackPermitted: true }));
    c.socket.write(pattern(30 * MSS), 0, 30 * MSS);
    host.out();
    host.now += 100;
    c.ack += 10 * MSS;
    expect(c.exchange()).toHaveLength(20);
    host.now += 100;
    c.in({ options: tcpOptions({ sack: [[(c.ack + MSS) | 0, (c.ack + 4 * MSS) | 0]] }) });
    c.socket.write(pattern(MSS), 0, MSS);
    expect(host.out()[0]?.seq).toBe(c.ack >>> 0);
    host.now += 100;
    c.ack += 4 * MSS;
    c.in();
    expect(control.limited).toEqual([true, false, false]);
  });
});
