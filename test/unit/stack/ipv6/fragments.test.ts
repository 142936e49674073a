import { beforeEach, describe, expect, test } from '@jest/globals';
import { PoolAllocator } from '../../../../src/base/index.ts';
import { StackError, type UdpEndpoint } from '../../../../src/stack/index.ts';
import { DropReason, IcmpV6Problem, IcmpV6Type, IPPROTO_UDP } from '../../../../src/wire/index.ts';
import {
  destinationOptions,
  type ExtensionFields,
  fragmentHeader,
  hopByHop,
  icmp6Packet,
  ipv6Packet,
  type Packet6Fields,
  udp6Datagram,
  udp6Packet,
} from '../../../support/segment6.ts';
import { ip, pattern, receive } from '../support.ts';
import { exchange, type Host6UnderTest, makeHost6 } from './support.ts';

let host: Host6UnderTest;
let udp: UdpEndpoint;
let allocator: PoolAllocator;

const PAYLOAD = pattern(3000);
const WHOLE = udp6Datagram({ payload: PAYLOAD });

/** The fragment `from … to` of a datagram. */
function fragment(
  from: number,
  to: number,
  fields: Packet6Fields & { id?: number; whole?: Uint8Array } = {},
): Uint8Array {
  const { id = 1, whole = WHOLE, extensions = [] } = fields;
  const header: ExtensionFields = fragmentHeader(from, to < whole.length, id);
  return ipv6Packet(IPPROTO_UDP, whole.slice(from, to), { ...fields, extensions: [...extensions, header] });
}

beforeEach(() => {
  allocator = new PoolAllocator();
  host = makeHost6({}, allocator);
  udp = host.stack.openUdp(6);
  udp.bind(ip('::'), 53);
});

describe('RFC 8200 §4.5 reassembly', () => {
  test.each([
    ['in order', [0, 1, 2]],
    ['backwards', [2, 1, 0]],
    ['with a copy of each', [1, 1, 0, 0, 2]],
  ])('fragments that come %s make a whole datagram', (_name, order) => {
    const parts = [fragment(0, 1000), fragment(1000, 2000), fragment(2000, 3008)];
    for (const index of order) expect(host.in(parts[index] as Uint8Array)).toBe(0);
    expect(receive(udp)).toEqual(PAYLOAD);
    expect(host.stack.counters).toMatchObject({ ipReasmOKs: 1, ipReasmFails: 0 });
  });

  test('headers before the fragment header are those of the first fragment, headers behind it are walked when it is whole', () => {
    const behind = destinationOptions(0x1e, 0).bytes;
    behind[0] = IPPROTO_UDP;
    const whole = Uint8Array.of(...behind, ...WHOLE);
    const send = (from: number, to: number, extensions: readonly ExtensionFields[]): number =>
      host.in(
        ipv6Packet(60, whole.slice(from, to), {
          extensions: [...extensions, fragmentHeader(from, to < whole.length, 5)],
        }),
      );
    expect(send(1000, whole.length, [])).toBe(0);
    expect(send(0, 1000, [hopByHop(5, 2, 0, 0), destinationOptions(0x1e, 0)])).toBe(0);
    expect(receive(udp)).toEqual(PAYLOAD);
  });

  test('an unknown option behind the fragment header is reported on when the packet is whole', () => {
    const behind = destinationOptions(0xde, 0).bytes;
    behind[0] = IPPROTO_UDP;
    const whole = Uint8Array.of(...behind, ...WHOLE);
    const part = (from: number, to: number): Uint8Array =>
      ipv6Packet(60, whole.slice(from, to), { extensions: [fragmentHeader(from, to < whole.length)] });
    expect(host.in(part(0, 1000))).toBe(0);
    expect(host.in(part(1000, whole.length))).toBe(DropReason.ipv6OptionUnknown);
    expect(host.out6()).toMatchObject([{ type: IcmpV6Type.parameterProblem, rest: 42 }]);
  });

  test('the largest packet is put together, and pinged back', () => {
    const asker = makeHost6({ addresses: ['fd00::1/64'] });
    const icmp = asker.stack.openIcmp(6);
    expect(icmp.sendEcho(ip('fd00::2'), 5, pattern(65_527))).toBe(0);
    exchange(asker, host);
    expect(icmp.takeReply()?.payload).toEqual(pattern(65_527));
    expect(icmp.sendEcho(ip('fd00::2'), 5, pattern(65_528))).toBe(StackError.messageTooLong);
  });

  test('packets are told apart by both addresses and the identification', () => {
    const other = udp6Datagram({ src: 'fd00::9', payload: pattern(3000) });
    host.in(fragment(0, 1000));
    expect(host.in(fragment(1000, 3008, { src: 'fd00::9', whole: other }))).toBe(0);
    expect(host.in(fragment(1000, 3008, { id: 2 }))).toBe(0);
    expect(receive(udp)).toBe(StackError.wouldBlock);
    expect(host.in(fragment(1000, 3008))).toBe(0);
    expect(receive(udp)).toEqual(PAYLOAD);
  });

  test('a fragment whose length is no multiple of 8 is reported on, at the payload length', () => {
    expect(
      host.in(ipv6Packet(IPPROTO_UDP, WHOLE.slice(0, 1001), { extensions: [fragmentHeader(0, true)] })),
    ).toBe(DropReason.fragmentMisaligned);
    expect(host.out6()).toMatchObject([
      { type: IcmpV6Type.parameterProblem, code: IcmpV6Problem.headerField, rest: 4 },
    ]);
  });

  test('a fragment that ends past 65,535 bytes is reported on, at the offset', () => {
    const extensions = [hopByHop(5, 2, 0, 0), fragmentHeader(65_528, false)];
    expect(host.in(ipv6Packet(IPPROTO_UDP, pattern(16), { extensions }))).toBe(DropReason.fragmentTooBig);
    expect(host.out6()).toMatchObject([
      { type: IcmpV6Type.parameterProblem, code: IcmpV6Problem.headerField, rest: 50 },
    ]);
  });

  test('after 60 s the sender is told, if the first fragment is there', () => {
    const first = fragment(0, 1000);
    host.in(first);
    host.in(fragment(1000, 2000, { id: 2 }));
    host.pass(61_000);
    expect(host.out6()).toMatchObject([
      { type: IcmpV6Type.timeExceeded, code: 1, dst: 'fd00::1', payload: first },
    ]);
    expect(allocator.inUse).toBeLessThan(1 << 19);
  });

  test('nothing is said of fragments to a group', () => {
    host.in(fragment(0, 1000, { dst: 'ff02::1' }));
    host.pass(61_000);
    expect(host.outBytes()).toEqual([]);
  });
});

describe('RFC 5722 overlaps', () => {
  test.each([
    ['in part', 992, 2000],
    ['from the start', 0, 500],
    ['inside of another', 8, 16],
  ])('a fragment that overlaps %s condemns the packet, and what follows of it', (_name, from, to) => {
    host.in(fragment(0, 1000));
    expect(host.in(fragment(from & ~7, to & ~7))).toBe(DropReason.fragmentOverlap);
    expect(host.in(fragment(1000, 3008))).toBe(DropReason.fragmentOverlap);
    host.pass(61_000);
    expect(host.outBytes()).toEqual([]);
    expect(receive(udp)).toBe(StackError.wouldBlock);
  });

  test('two ends that contradict each other do', () => {
    host.in(fragment(2000, 3008));
    expect(
      host.in(
        ipv6Packet(IPPROTO_UDP, WHOLE.slice(1000, 1104), { extensions: [fragmentHeader(1000, false)] }),
      ),
    ).toBe(DropReason.fragmentOverlap);
  });
});

describe('RFC 6946 atomic fragments', () => {
  test('one is processed alone, whatever fragments of its identification wait', () => {
    host.in(fragment(0, 1000));
    expect(host.in(udp6Packet({ payload: 'abc', extensions: [fragmentHeader(0, false)] }))).toBe(0);
    expect(receive(udp)).toEqual(Uint8Array.of(97, 98, 99));
    expect(host.in(fragment(1000, 3008))).toBe(0);
    expect(receive(udp)).toEqual(PAYLOAD);
  });
});

describe('RFC 7112 headers', () => {
  test('a first fragment without all headers is dropped and reported on', () => {
    const options = destinationOptions(0x1e, 10).bytes.slice(0, 8);
    options[1] = 1;
    expect(host.in(ipv6Packet(60, options, { extensions: [fragmentHeader(0, true, 9)] }))).toBe(
      DropReason.ipv6HeaderChain,
    );
    expect(host.out6()).toMatchObject([{ type: IcmpV6Type.parameterProblem, code: 3, rest: 0 }]);
  });
});

describe('bounds', () => {
  test('a flood of first fragments takes bounded memory, and others still get through', () => {
    for (let id = 2; id < 20_000; id++) host.in(fragment(0, 1000, { id }));
    expect(allocator.inUse).toBeLessThanOrEqual(5 << 20);
    host.in(fragment(0, 1000));
    host.in(fragment(1000, 3008));
    expect(receive(udp)).toEqual(PAYLOAD);
  });

  test('fragments within fragments are refused', () => {
    const inner = fragmentHeader(0, true, 3).bytes;
    inner[0] = IPPROTO_UDP;
    const body = Uint8Array.of(...inner, ...WHOLE.slice(0, 992));
    const part = (from: number, to: number): Uint8Array =>
      ipv6Packet(44, body.slice(from, to), { extensions: [fragmentHeader(from, to < body.length, 8)] });
    host.in(part(0, 496));
    expect(host.in(part(496, 1000))).toBe(DropReason.ipv6ExtensionOrder);
  });

  test('a ping whose fragments come twice is answered once', () => {
    const whole = icmp6Packet({ payload: 2000 }).slice(40);
    const part = (from: number, to: number): Uint8Array =>
      ipv6Packet(58, whole.slice(from, to), { extensions: [fragmentHeader(from, to < whole.length, 8)] });
    host.in(part(0, 1000));
    host.in(part(0, 1000));
    host.in(part(1000, 2008));
    expect(host.outBytes()).toHaveLength(2);
  });
});
