import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type IpAddress, randomBelow, SeededRandom } from '../../../src/base/index.ts';
import { ConnectionTable, ListenerTable, type PacketAddresses } from '../../../src/stack/demux.ts';
import { ip } from './support.ts';

const SECRET = Uint8Array.from({ length: 16 }, (_, i) => 255 - i);

interface Connection {
  localAddress: IpAddress;
  localPort: number;
  remoteAddress: IpAddress;
  remotePort: number;
  nextConnection: Connection | null;
}

interface Listener {
  localAddress: IpAddress;
  localPort: number;
  readonly isDual: boolean;
  nextListener: Listener | null;
}

function connection(local: string, localPort: number, remote: string, remotePort: number): Connection {
  return { localAddress: ip(local), localPort, remoteAddress: ip(remote), remotePort, nextConnection: null };
}

function listener(local: string, localPort: number): Listener {
  return { localAddress: ip(local), localPort, isDual: false, nextListener: null };
}

function packet(src: string, dst: string, family: 4 | 6 = 4): PacketAddresses {
  const from = ip(src);
  const to = ip(dst);
  return {
    family,
    src0: from.w0,
    src1: from.w1,
    src2: from.w2,
    src3: from.w3,
    dst0: to.w0,
    dst1: to.w1,
    dst2: to.w2,
    dst3: to.w3,
    zone: from.zone | to.zone,
  };
}

describe('ConnectionTable', () => {
  test('a packet finds the connection with its addresses and ports, and no other', () => {
    const table = new ConnectionTable<Connection>(SECRET);
    const entry = connection('10.0.0.2', 80, '10.0.0.1', 1025);
    table.add(entry);
    const from = packet('10.0.0.1', '10.0.0.2');
    expect(table.find(from, 80, 1025)).toBe(entry);
    expect(table.find(from, 81, 1025)).toBeNull();
    expect(table.find(from, 80, 1026)).toBeNull();
    expect(table.find(packet('10.0.0.3', '10.0.0.2'), 80, 1025)).toBeNull();
    expect(table.find(packet('10.0.0.1', '10.0.0.3'), 80, 1025)).toBeNull();
    expect(table.get(entry.localAddress, 80, entry.remoteAddress, 1025)).toBe(entry);
  });

  test('a packet that an ICMP error quotes finds the connection that sent it', () => {
    const table = new ConnectionTable<Connection>(SECRET);
    const entry = connection('10.0.0.2', 80, '10.0.0.1', 1025);
    table.add(entry);
    expect(table.findSender(packet('10.0.0.2', '10.0.0.1'), 80, 1025)).toBe(entry);
    expect(table.findSender(packet('10.0.0.1', '10.0.0.2'), 80, 1025)).toBeNull();
  });

  test('RFC 4291 §2.5.5.2 an IPv4 packet finds the IPv6 endpoint with the mapped addresses', () => {
    const table = new ConnectionTable<Connection>(SECRET);
    const entry = connection('::ffff:10.0.0.2', 80, '::ffff:10.0.0.1', 1025);
    table.add(entry);
    expect(table.find(packet('10.0.0.1', '10.0.0.2'), 80, 1025)).toBe(entry);
  });

  test('IPv6 connections that differ in one word are told apart', () => {
    const table = new ConnectionTable<Connection>(SECRET);
    const one = connection('2001:db8::2', 80, '2001:db8:1::1', 1025);
    const two = connection('2001:db8::2', 80, '2001:db8:2::1', 1025);
    table.add(one);
    table.add(two);
    expect(table.find(packet('2001:db8:2::1', '2001:db8::2', 6), 80, 1025)).toBe(two);
    expect(table.find(packet('2001:db8:1::1', '2001:db8::2', 6), 80, 1025)).toBe(one);
  });

  test('of two with the same addresses the older one is found, and the other after it is gone', () => {
    const table = new ConnectionTable<Connection>(SECRET);
    const one = connection('10.0.0.2', 80, '10.0.0.1', 1025);
    const two = connection('10.0.0.2', 80, '10.0.0.1', 1025);
    table.add(one);
    table.add(two);
    expect(table.find(packet('10.0.0.1', '10.0.0.2'), 80, 1025)).toBe(one);
    expect(table.remove(one)).toBe(true);
    expect(table.find(packet('10.0.0.1', '10.0.0.2'), 80, 1025)).toBe(two);
    expect(table.remove(one)).toBe(false);
    expect(table.size).toBe(1);
  });

  test('any sequence of additions and removals leaves what a plain map leaves', () => {
    const key = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 5 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), key), { maxLength: 200 }), (steps) => {
        const table = new ConnectionTable<Connection>(SECRET);
        const model = new Map<string, Connection>();
        for (const [isAdded, [host, port]] of steps) {
          const name = `${host} ${port}`;
          const held = model.get(name);
          if (isAdded && held === undefined) {
            const entry = connection('10.0.0.2', 80, `10.0.0.${host}`, port);
            table.add(entry);
            model.set(name, entry);
          } else if (!isAdded && held !== undefined) {
            expect(table.remove(held)).toBe(true);
            model.delete(name);
          }
        }
        expect(table.size).toBe(model.size);
        expect(new Set(table)).toEqual(new Set(model.values()));
        for (const [name, entry] of model) {
          const [host, port] = name.split(' ');
          expect(table.find(packet(`10.0.0.${host}`, '10.0.0.2'), 80, Number(port))).toBe(entry);
        }
      }),
    );
  });

  test('10,000 connections from one subnet spread: a lookup meets few others', () => {
    const table = new ConnectionTable<Connection>(SECRET);
    const random = new SeededRandom(1);
    for (let i = 0; i < 10_000; i++) {
      table.add(connection('10.0.0.2', 80, `10.0.${i >> 8}.${i & 0xff}`, 1024 + randomBelow(random, 60_000)));
    }
    let longest = 0;
    for (const entry of table) {
      let length = 1;
      for (let at = entry.nextConnection; at !== null; at = at.nextConnection) length++;
      longest = Math.max(longest, length);
    }
    expect(longest).toBeLessThanOrEqual(3);
  });
});

describe('ListenerTable', () => {
  test('SEM-BIND-16 the listener with the specific address is found before the wildcard, whatever their age', () => {
    const table = new ListenerTable<Listener>();
    const wildcard = listener('0.0.0.0', 80);
    const specific = listener('10.0.0.2', 80);
    table.add(wildcard);
    table.add(specific);
    expect(table.find(packet('10.0.0.1', '10.0.0.2'), 80)).toBe(specific);
    expect(table.find(packet('10.0.0.1', '10.0.0.3'), 80)).toBe(wildcard);
    expect(table.find(packet('10.0.0.1', '10.0.0.2'), 81)).toBeNull();
    expect(table.findSender(packet('10.0.0.2', '10.0.0.1'), 80)).toBe(specific);
    expect(table.findSender(packet('10.0.0.3', '10.0.0.1'), 80)).toBe(wildcard);
  });

  test('SEM-BIND-15 of two with the same address the one that came first is found while it is open', () => {
    const table = new ListenerTable<Listener>();
    const one = listener('0.0.0.0', 80);
    const two = listener('0.0.0.0', 80);
    table.add(one);
    table.add(two);
    expect(table.find(packet('10.0.0.1', '10.0.0.2'), 80)).toBe(one);
    table.remove(one);
    expect(table.find(packet('10.0.0.1', '10.0.0.2'), 80)).toBe(two);
  });

  test('the IPv6 wildcard does not take an IPv4 packet, nor the other way round', () => {
    const table = new ListenerTable<Listener>();
    table.add(listener('::', 80));
    expect(table.find(packet('10.0.0.1', '10.0.0.2'), 80)).toBeNull();
    table.add(listener('0.0.0.0', 81));
    expect(table.find(packet('2001:db8::1', '2001:db8::2', 6), 81)).toBeNull();
  });

  test('removal from the middle of a port keeps the others, in order', () => {
    const table = new ListenerTable<Listener>();
    const entries = ['10.0.0.2', '10.0.0.3', '10.0.0.4'].map((address) => listener(address, 80));
    for (const entry of entries) table.add(entry);
    table.remove(entries[1] as Listener);
    expect([...table]).toEqual([entries[0], entries[2]]);
    expect(table.first(80)).toBe(entries[0]);
    expect(table.size).toBe(2);
    expect(table.remove(entries[1] as Listener)).toBe(false);
  });
});
