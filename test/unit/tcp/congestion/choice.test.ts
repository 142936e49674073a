/** Which congestion control a connection has: of the stack, of the socket, changed under way. */

import { describe, expect, test } from '@jest/globals';
import { IpAddress } from '../../../../src/base/index.ts';
import { CONGESTION_CONTROLS, type CongestionControl } from '../../../../src/stack/index.ts';
import { NewReno } from '../../../../src/stack/tcp/congestion/newreno.ts';
import { acceptNext, acceptOne, FULL_SYN, listenOn, makeTcpHost, PEER_PORT } from '../support.ts';

/** One that is made elsewhere. */
class Constant extends NewReno {
  override readonly name = 'constant' as 'newreno';
  override onAck(): void {
    this.cwnd = 2 * this.smss;
  }
}

describe('the choice of congestion control', () => {
  test('it is CUBIC unless said otherwise', () => {
    expect(acceptOne(makeTcpHost()).socket.congestionControl).toBe('cubic');
    expect(CONGESTION_CONTROLS[0]).toBe('cubic');
  });

  test.each(CONGESTION_CONTROLS)('a stack of %s has it for all connections', (congestionControl) => {
    const host = makeTcpHost({ congestionControl });
    expect(acceptOne(host).socket.congestionControl).toBe(congestionControl);
    expect(host.stack.openTcp().congestionControl).toBe(congestionControl);
  });

  test('a connection inherits the choice of its listener', () => {
    const host = makeTcpHost();
    const listener = listenOn(host);
    listener.congestionControl = 'newreno';
    const first = acceptNext(host, listener, PEER_PORT, FULL_SYN);
    expect(first.socket.congestionControl).toBe('newreno');
    listener.congestionControl = 'cubic';
    expect(first.socket.congestionControl).toBe('newreno');
    expect(host.stack.openTcp().congestionControl).toBe('cubic');
  });

  test('a connection that changes it goes on with its window', () => {
    const c = acceptOne(makeTcpHost());
    c.socket.write(new Uint8Array(20_000), 0, 20_000);
    c.host.out();
    c.host.now += 50;
    c.ack = (c.ack + 14_600) | 0;
    c.exchange();
    const { cwnd, ssthresh } = c.socket.info();
    expect(cwnd).toBeGreaterThan(14_600);
    for (const name of CONGESTION_CONTROLS.toReversed()) {
      c.socket.congestionControl = name;
      expect(c.socket.congestionControl).toBe(name);
      expect(c.socket.info().cwnd).toBe(cwnd);
    }
    c.socket.congestionControl = 'newreno';
    expect(c.socket.info().ssthresh).toBeLessThanOrEqual(ssthresh);
  });

  test('one of somebody else’s is taken as well', () => {
    const made: CongestionControl[] = [];
    const make = (): CongestionControl => {
      const control = new Constant();
      made.push(control);
      return control;
    };
    const c = acceptOne(makeTcpHost({ congestionControl: make }));
    expect(c.socket.congestionControl).toBe('constant');
    expect(made).toHaveLength(1);
    c.socket.write(new Uint8Array(20_000), 0, 20_000);
    c.host.out();
    c.ack = (c.ack + 14_600) | 0;
    c.exchange();
    expect(c.socket.info().cwnd).toBe(2 * 1460);
  });

  test('a name that does not exist is refused, with those that do', () => {
    const socket = makeTcpHost().stack.openTcp();
    expect(() => {
      socket.congestionControl = 'vegas' as never;
    }).toThrow(/cubic, newreno/);
    expect(() => makeTcpHost({ congestionControl: 'toString' as never })).toThrow(RangeError);
    expect(socket.bind(IpAddress.anyV4, 0)).toBe(0);
  });
});
