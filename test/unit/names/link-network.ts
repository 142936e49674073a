/**
 * Links for the responder's tests, in virtual time: what it sends is kept, by interface; what others on the link say is written by the
 * test.
 */

import { type IpAddress, type IpFamily, SeededRandom } from '../../../src/base/index.ts';
import { decodeMessage, encodeMessage } from '../../../src/names/codec.ts';
import type { DnsMessage, DnsRecord, MessageParts } from '../../../src/names/message.ts';
import { RecordType, recordText } from '../../../src/names/message.ts';
import type {
  Closable,
  DatagramListener,
  DatagramSocket,
  GroupSocket,
  NameLink,
  NameNetwork,
  StreamListener,
  StreamSocket,
} from '../../../src/names/network.ts';
import { VirtualTime } from '../../../src/sim/virtual-time.ts';
import { ip } from './scripted-network.ts';

/** A message that was sent. */
export interface Sent {
  readonly at: number;
  /** 0: to one host. */
  readonly interfaceIndex: number;
  readonly to: string;
  readonly port: number;
  readonly message: DnsMessage;
  readonly bytes: Uint8Array;
}

export const GROUP_V4 = ip('224.0.0.251');
export const GROUP_V6 = ip('ff02::fb');

export class LinkNetwork implements NameNetwork {
  readonly scheduler = new VirtualTime();
  readonly random = new SeededRandom(1);
  readonly sent: Sent[] = [];
  readonly refreshed: string[] = [];
  interfaces: NameLink[];
  onLink: (address: IpAddress) => boolean = () => true;
  readonly #listeners = new Map<string, DatagramListener>();
  readonly #acceptors = new Map<IpFamily, (stream: StreamSocket) => StreamListener | null>();
  openSockets = 0;

  constructor(interfaces: NameLink[] = [{ index: 1, addresses: [ip('10.0.0.1')] }]) {
    this.interfaces = interfaces;
  }

  links(): NameLink[] {
    return this.interfaces;
  }

  isOnLink(address: IpAddress): boolean {
    return this.onLink(address);
  }

  joinGroup(group: IpAddress, port: number, listener: DatagramListener): GroupSocket {
    this.#listeners.set(group.toString(), listener);
    this.openSockets++;
    return {
      send: (bytes, address, toPort) => this.#sent(bytes, 0, address, toPort),
      sendOn: (index, bytes) => this.#sent(bytes, index, group, port),
      refresh: () => this.refreshed.push(group.toString()),
      close: () => {
        this.openSockets--;
      },
    };
  }

  openDatagram(): DatagramSocket | null {
    return null;
  }

  openStream(): null {
    return null;
  }

  listenDatagram(): null {
    return null;
  }

  listenStream(
    address: IpAddress,
    _port: number,
    accept: (stream: StreamSocket) => StreamListener | null,
  ): Closable {
    this.#acceptors.set(address.family, accept);
    this.openSockets++;
    return {
      close: () => {
        this.openSockets--;
      },
    };
  }

  /** A connection from outside. @returns what the other side may do and has got; `null` when it is refused */
  connectFrom(from: IpAddress): {
    readonly got: Uint8Array[];
    readonly isClosed: () => boolean;
    send(bytes: Uint8Array): void;
  } | null {
    const got: Uint8Array[] = [];
    let isClosed = false;
    const listener = this.#acceptors.get(from.family)?.({
      remoteAddress: from,
      send: (bytes) => {
        got.push(bytes.slice());
        return true;
      },
      close: () => {
        isClosed = true;
      },
    });
    if (listener === undefined || listener === null) return null;
    return { got, isClosed: () => isClosed, send: (bytes) => listener.received(bytes) };
  }

  /** A message from somebody on the link. */
  hear(
    parts: MessageParts,
    {
      from = ip('10.0.0.9'),
      port = 5353,
      to = GROUP_V4,
      interfaceIndex = 1,
    }: { from?: IpAddress; port?: number; to?: IpAddress; interfaceIndex?: number } = {},
  ): void {
    this.hearBytes(encodeMessage(parts), { from, port, to, interfaceIndex });
  }

  hearBytes(
    bytes: Uint8Array,
    { from = ip('10.0.0.9'), port = 5353, to = GROUP_V4, interfaceIndex = 1 } = {},
  ): void {
    // What is sent to us alone comes to the one socket of its family.
    const isHeard = ([group]: [string, unknown]): boolean =>
      to.isMulticast ? group === to.toString() : group.includes(':') === (to.family === 6);
    const heard = [...this.#listeners].find(isHeard);
    heard?.[1].received(bytes, { address: from, port, destination: to, interfaceIndex, ttl: 255 });
  }

  /** Somebody asks. */
  ask(
    name: string,
    type: number,
    more: Partial<MessageParts> = {},
    how: Parameters<LinkNetwork['hear']>[1] = {},
  ): void {
    this.hear({ questions: [{ name, type }], ...more }, how);
  }

  /** Somebody says. */
  say(answers: readonly DnsRecord[], how: Parameters<LinkNetwork['hear']>[1] = {}): void {
    this.hear({ isResponse: true, isAuthoritative: true, questions: [], answers }, how);
  }

  /** Lets `ms` go by. @returns what was sent in that time */
  pass(ms: number): Sent[] {
    const before = this.sent.length;
    const end = this.scheduler.now() + ms;
    while (this.scheduler.step(end)) {
      // Time runs out.
    }
    this.scheduler.skipTo(end);
    return this.sent.slice(before);
  }

  /** What is sent while `task` runs. */
  during(task: () => void): Sent[] {
    const before = this.sent.length;
    task();
    return this.sent.slice(before);
  }

  #sent(bytes: Uint8Array, interfaceIndex: number, address: IpAddress, port: number): boolean {
    const message = decodeMessage(bytes);
    if (message === null) throw new Error('we sent a malformed message');
    const at = this.scheduler.now();
    this.sent.push({ at, interfaceIndex, to: address.toString(), port, message, bytes: bytes.slice() });
    return true;
  }
}

const TYPES = new Map<number, string>(Object.entries(RecordType).map(([name, type]) => [type, name]));

/** `host.local A 120! 10.0.0.1`; the mark is the flush bit. */
export function show(record: DnsRecord): string {
  const type = TYPES.get(record.type) ?? String(record.type);
  return `${record.name} ${type} ${record.ttl}${record.flush === true ? '!' : ''} ${recordText(record)}`;
}

export function answersOf(sent: readonly Sent[]): string[] {
  return sent.flatMap(({ message }) => message.answers.map(show));
}
