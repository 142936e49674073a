/** A host under test in virtual time, on one interface whose packets the test hands in and takes out. */

import { IpAddress, PoolAllocator, SeededRandom } from '../../../src/base/index.ts';
import {
  createDatagramInfo,
  createStack,
  type Endpoint,
  type InterfaceOptions,
  type MessageEndpoint,
  type Stack,
} from '../../../src/stack/index.ts';
import { type ReadPacket, readPacket } from '../../support/segment.ts';

export interface HostUnderTest {
  readonly stack: Stack;
  /** The interface with 10.0.0.2/24. */
  readonly index: number;
  readonly allocator: PoolAllocator;
  /** What the observer was told, oldest first. */
  readonly events: { readonly endpoint: Endpoint; readonly events: number }[];
  /** How often the stack asked for a turn. */
  wakes: number;
  /** Virtual time in ms. */
  now: number;
  /** Hands in a packet. @returns its drop reason */
  in(packet: Uint8Array): number;
  /** All packets that wait to be sent, as bytes; and read. */
  outBytes(): Uint8Array[];
  out(): ReadPacket[];
  /** Lets `ms` pass, with the timers on the way; events are told. */
  pass(ms: number): void;
}

/** A host with the address 10.0.0.2/24 and a default route to 10.0.0.1. */
export function makeHost(
  options: Partial<InterfaceOptions> = {},
  allocator = new PoolAllocator(),
  seed = 7,
  configObserver?: (changes: number) => void,
): HostUnderTest {
  const events: HostUnderTest['events'] = [];
  const host: { now: number; wakes: number } = { now: 1000, wakes: 0 };
  const stack = createStack({
    clock: { now: () => host.now },
    random: new SeededRandom(seed),
    allocator,
    wake: () => void host.wakes++,
    ...(configObserver === undefined ? {} : { configObserver }),
    observer: (endpoint, bits) => void events.push({ endpoint, events: bits }),
  });
  const index = stack.addInterface({
    name: 'test',
    mtu: 1500,
    addresses: ['10.0.0.2/24'],
    // The address is there at once, unless a test is about how it comes.
    detectDuplicates: false,
    ...options,
  });
  if (options.addresses === undefined) {
    stack.addRoute({ destination: '0.0.0.0/0', gateway: '10.0.0.1', interfaceIndex: index });
  }
  const outBytes = (): Uint8Array[] => {
    const packets: Uint8Array[] = [];
    for (let packet = stack.takePacket(index); packet !== null; packet = stack.takePacket(index)) {
      packets.push(packet);
    }
    return packets;
  };
  return Object.assign(host, {
    stack,
    index,
    allocator,
    events,
    in: (packet: Uint8Array) => stack.inputPacket(index, packet),
    outBytes,
    out: () => outBytes().map(readPacket),
    pass: (ms: number) => {
      const end = host.now + ms;
      while (stack.nextDeadline <= end) {
        host.now = Math.max(host.now, stack.nextDeadline);
        stack.advance();
        stack.flushEvents();
      }
      host.now = end;
    },
  });
}

/** The address of `text`. */
export function ip(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === null) throw new RangeError(`not an address: ${text}`);
  return address;
}

/** Receives one message. @returns its bytes, or the error */
export function receive(endpoint: MessageEndpoint, info = createDatagramInfo()): Uint8Array | number {
  const into = new Uint8Array(65536);
  const length = endpoint.receive(into, 0, into.length, info);
  return length < 0 ? length : into.slice(0, length);
}

/** A payload of `length` bytes in which a shift shows. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff);
}

/** What `receive` fills. */
export const makeInfo = createDatagramInfo;
