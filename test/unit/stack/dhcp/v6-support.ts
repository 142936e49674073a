/** A DHCPv6 client by itself: its messages are taken off the host's hands, and a scripted server answers them. */

import { expect } from '@jest/globals';
import { IpAddress, putU16, SeededRandom, toHex, u16 } from '../../../../src/base/index.ts';
import { duidOfLinkLayer } from '../../../../src/stack/dhcp/duid.ts';
import { DhcpV6Client } from '../../../../src/stack/dhcp/v6/client.ts';
import type { Host } from '../../../../src/stack/host.ts';
import { HostCore } from '../../../../src/stack/host-core.ts';
import type { DhcpMode } from '../../../../src/stack/index.ts';
import {
  DhcpV6Message,
  DhcpV6Option,
  type DhcpV6OptionValue,
  DhcpV6Type,
  DropReason,
  encodeAssociation,
  encodeDhcpV6,
  encodeIaAddress,
  parseAssociation,
  parseDhcpV6,
  singleOption,
} from '../../../../src/wire/index.ts';

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 2);
export const IAID = 7;
export const SERVER = ip('fe80::1');
export const SERVER_DUID = Uint8Array.of(0, 3, 0, 1, 2, 0, 0, 0, 0, 1);
export const LEASED = '2001:db8::50';

export type V6TypeName = keyof typeof DhcpV6Type;

/** A client's message. */
export interface SeenMessage {
  readonly at: number;
  readonly type: V6TypeName;
  readonly transactionId: number;
  /** Hundredths of a second. */
  readonly elapsed: number;
  readonly clientId: string;
  readonly serverId?: string;
  /** Codes of option 6. */
  readonly requested: readonly number[];
  readonly isRapidCommit: boolean;
  /** Of the association; absent: it has none. */
  readonly addresses?: readonly string[];
}

/** What a server says; the defaults make a good answer. */
export interface V6Answer {
  readonly type?: V6TypeName | 'reconfigure';
  readonly transactionId?: number;
  readonly clientId?: Uint8Array | null;
  readonly serverId?: Uint8Array | null;
  readonly preference?: number;
  readonly isRapidCommit?: boolean;
  /** Of the message, and of the association. */
  readonly status?: number;
  readonly iaStatus?: number;
  /** `[address, preferred, valid]`; `null`: no association. */
  readonly addresses?: readonly (readonly [string, number, number])[] | null;
  readonly iaid?: number;
  readonly t1?: number;
  readonly t2?: number;
  readonly options?: readonly DhcpV6OptionValue[];
}

export class V6Rig {
  now = 1000;
  readonly core: HostCore;
  readonly client: DhcpV6Client;
  readonly index: number;
  readonly duid = duidOfLinkLayer(MAC);
  #sent: SeenMessage[] = [];

  constructor(
    mode: DhcpMode | null = 'stateful',
    options: { rapidCommit?: boolean; hasSource?: boolean } = {},
  ) {
    this.core = new HostCore({ clock: { now: () => this.now }, random: new SeededRandom(3) });
    const { topology } = this.core;
    this.index = topology.addInterface({ name: 'lan', mtu: 1500 }).index;
    if (options.hasSource !== false) this.addLinkLocal();
    this.client = new DhcpV6Client(
      {
        host: this.#host(),
        topology,
        conflicts: { probeAddress: (_index, _address, done) => done(false) },
        linkLocal: { enableAutoIp() {}, disableAutoIp() {} },
      },
      { interfaceIndex: this.index, duid: this.duid, iaid: IAID, rapidCommit: options.rapidCommit ?? false },
    );
    if (mode !== null) this.client.start(mode);
  }

  /** What the client was granted before it was made. */
  recall(bytes: Uint8Array, server: IpAddress, obtainedAt: number): void {
    const message = new DhcpV6Message();
    if (parseDhcpV6(bytes, 0, bytes.length, message) === DropReason.none)
      this.client.recall(message, server, obtainedAt);
  }

  addLinkLocal(): void {
    this.core.topology.addAddress(this.index, 'fe80::2/64', { origin: 'linkLocal', detectDuplicates: false });
  }

  get state(): string {
    return this.client.status.state;
  }

  /** Addresses that the client has configured. */
  get addresses(): string[] {
    return this.core.topology
      .interface(this.index)
      .addresses.filter(({ origin }) => origin === 'dhcp')
      .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
  }

  get names(): string[] {
    return this.core.topology
      .interface(this.index)
      .names.map(({ origin, servers, searchList }) => `${origin}: ${servers}; ${searchList}`);
  }

  pass(ms: number): void {
    const end = this.now + ms;
    while (this.core.timers.next <= end) {
      this.now = Math.max(this.now, this.core.timers.next);
      this.core.timers.run(this.now);
    }
    this.now = end;
  }

  /** What was sent since the last look. */
  sent(): SeenMessage[] {
    return this.#sent.splice(0);
  }

  /** Lets time pass until the client says something: at most `limit` ms. */
  next(limit = 5000): SeenMessage {
    for (let passed = 0; passed < limit && this.#sent.length === 0; passed += 10) this.pass(10);
    const all = this.sent();
    expect(all).toHaveLength(1);
    return all[0] as SeenMessage;
  }

  /** Hands in an answer. @returns its drop reason */
  answer(to: Pick<SeenMessage, 'type' | 'transactionId'>, answer: V6Answer = {}): number {
    const type = answer.type ?? (to.type === 'solicit' ? 'advertise' : 'reply');
    const options: DhcpV6OptionValue[] = [...(answer.options ?? [])];
    const add = (code: number, value: Uint8Array): void => void options.push({ code, value });
    if (answer.clientId !== null) add(DhcpV6Option.clientId, answer.clientId ?? this.duid);
    if (answer.serverId !== null) add(DhcpV6Option.serverId, answer.serverId ?? SERVER_DUID);
    if (answer.preference !== undefined) add(DhcpV6Option.preference, Uint8Array.of(answer.preference));
    if (answer.isRapidCommit === true) add(DhcpV6Option.rapidCommit, new Uint8Array(0));
    if (answer.status !== undefined) add(DhcpV6Option.statusCode, shorts(answer.status));
    if (answer.addresses !== null) add(DhcpV6Option.iaNa, associationOf(answer));
    const bytes = encodeDhcpV6(DhcpV6Type[type], answer.transactionId ?? to.transactionId, options);
    const message = new DhcpV6Message();
    expect(parseDhcpV6(bytes, 0, bytes.length, message)).toBe(DropReason.none);
    return this.client.receive(message, SERVER);
  }

  /** Goes through an exchange of four messages to BOUND. @returns the request that was answered */
  bind(answer: V6Answer = {}): SeenMessage {
    expect(this.answer(this.next(), { ...answer, preference: 255 })).toBe(DropReason.none);
    const request = this.next();
    expect(request.type).toBe('request');
    expect(this.answer(request, answer)).toBe(DropReason.none);
    expect(this.state).toBe('BOUND');
    return request;
  }

  #host(): Host {
    const { core } = this;
    const bytes = new Uint8Array(2048);
    return {
      get now() {
        return core.now;
      },
      timers: core.timers,
      random: core.random,
      counters: core.counters,
      linkPath: () => ({ pseudoHeaderSum: () => 0, flowLabel: () => 0 }),
      noteChange: (changes: number) => core.noteChange(changes),
      reserveControl: (_path: unknown, _protocol: number, length: number) => ({ bytes, at: 0, length }),
      sendControl: (packet: { length: number }) => {
        expect([u16(bytes, 0), u16(bytes, 2), u16(bytes, 4)]).toEqual([546, 547, packet.length]);
        this.#sent.push(read(bytes.slice(8, packet.length), core.now));
      },
    } as unknown as Host;
  }
}

export function ip(text: string): IpAddress {
  return IpAddress.parse(text) as IpAddress;
}

export function shorts(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  for (const [i, value] of values.entries()) putU16(bytes, 2 * i, value);
  return bytes;
}

/** The bytes of IPv6 addresses. */
export function addressBytes(...texts: readonly string[]): Uint8Array {
  return Uint8Array.from(texts.flatMap((text) => [...encodeIaAddress(ip(text), 0, 0).subarray(0, 16)]));
}

const NAMES = Object.fromEntries(Object.entries(DhcpV6Type).map(([name, type]) => [type, name]));

function read(bytes: Uint8Array, at: number): SeenMessage {
  const message = new DhcpV6Message();
  expect(parseDhcpV6(bytes, 0, bytes.length, message)).toBe(DropReason.none);
  const one = (code: number): Uint8Array | undefined => {
    const value = singleOption(message.options, code);
    expect(value).not.toBeNull();
    return value ?? undefined;
  };
  const requested = one(DhcpV6Option.optionRequest) ?? new Uint8Array(0);
  const iaNa = one(DhcpV6Option.iaNa);
  const serverId = one(DhcpV6Option.serverId);
  const association = iaNa === undefined ? null : parseAssociation(iaNa);
  return {
    at,
    type: NAMES[message.type] as V6TypeName,
    transactionId: message.transactionId,
    elapsed: u16(one(DhcpV6Option.elapsedTime) as Uint8Array, 0),
    clientId: toHex(one(DhcpV6Option.clientId) as Uint8Array),
    ...(serverId === undefined ? {} : { serverId: toHex(serverId) }),
    requested: Array.from({ length: requested.length / 2 }, (_, i) => u16(requested, 2 * i)),
    isRapidCommit: one(DhcpV6Option.rapidCommit) !== undefined,
    ...(association === null ? {} : { addresses: association.addresses.map(({ address }) => `${address}`) }),
  };
}

function associationOf({ iaid = IAID, t1 = 0, t2 = 0, iaStatus, addresses }: V6Answer): Uint8Array {
  const options = (addresses ?? [[LEASED, 3000, 5000] as const]).map(([address, preferred, valid]) => ({
    code: DhcpV6Option.iaAddress,
    value: encodeIaAddress(ip(address), preferred, valid),
  }));
  const status = iaStatus === undefined ? [] : [{ code: DhcpV6Option.statusCode, value: shorts(iaStatus) }];
  return encodeAssociation(iaid, t1, t2, [...options, ...status]);
}
