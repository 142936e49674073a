/**
 * What the tests of the name functions need: a name server on host b that says what a test wants, and short ways to say it.
 */

import { expect } from '@jest/globals';
import {
  type ADDRINFOEX,
  type addrinfo,
  addrinfos,
  noHints,
  readSockaddr,
  SOCKADDR_IN_LEN,
} from '../../../src/abi/index.ts';
import { IpAddress } from '../../../src/base/index.ts';
import { decodeMessage, encodeMessage } from '../../../src/names/codec.ts';
import { type DnsRecord, Rcode, RecordType } from '../../../src/names/message.ts';
import type { Ref } from '../../../src/spi/index.ts';
import type { Winsock } from '../../../src/winsock/index.ts';
import { name, ok, udp } from '../support.ts';

/** What a name server says to a question; `null`: nothing, ever. */
export type Zone = (question: { name: string; type: number }) => readonly DnsRecord[] | 'noName' | null;

/** A name server on host b until it is closed. @returns the questions that it gets, as `name/type` */
export async function nameServer(b: Winsock, zone: Zone): Promise<string[]> {
  const s = await udp(b);
  await ok(b.bind(s, name('10.0.0.2', 53)));
  const asked: string[] = [];
  const serve = async (): Promise<void> => {
    const bytes = new Uint8Array(1500);
    for (;;) {
      const from = new Uint8Array(SOCKADDR_IN_LEN);
      const length = await b.recvfrom(s, bytes, bytes.length, 0, from, { value: from.length });
      if (length < 0) return;
      const message = decodeMessage(bytes.subarray(0, length));
      const question = message?.questions[0];
      if (message === null || question === undefined) continue;
      asked.push(`${question.name}/${question.type}`);
      const said = zone(question);
      if (said === null) continue;
      const reply = encodeMessage({
        id: message.id,
        isResponse: true,
        isAuthoritative: true,
        recursionDesired: message.recursionDesired,
        rcode: said === 'noName' ? Rcode.nxDomain : Rcode.noError,
        questions: [question],
        answers: said === 'noName' ? [] : said,
      });
      await b.sendto(s, reply, reply.length, 0, from);
    }
  };
  void serve();
  return asked;
}

/** Address records of a name. */
export function a(owner: string, ...addresses: string[]): DnsRecord[] {
  return addresses.map((text): DnsRecord => {
    const address = ip(text);
    const type = address.family === 4 ? RecordType.A : RecordType.AAAA;
    return { kind: 'address', name: owner, type, ttl: 60, address };
  });
}

/** A record that leads to another name. */
export function leadsTo(owner: string, target: string, type: number = RecordType.CNAME): DnsRecord {
  return { kind: 'name', name: owner, type, ttl: 60, target };
}

/** A zone of records: what is asked for, and aliases; names that are nowhere do not exist. */
export function zoneOf(records: readonly DnsRecord[]): Zone {
  return ({ name: asked, type }) => {
    const fold = asked.toLowerCase();
    if (!records.some((record) => record.name.toLowerCase() === fold)) return 'noName';
    const alias = records.find(
      (record) => record.name.toLowerCase() === fold && record.type === RecordType.CNAME,
    );
    const owner = alias?.kind === 'name' ? alias.target : fold;
    const found = records.filter((record) => record.name.toLowerCase() === owner && record.type === type);
    return alias === undefined || type === RecordType.CNAME ? found : [alias, ...found];
  };
}

export function ip(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === null) throw new Error(`no address: ${text}`);
  return address;
}

/** Hints with some members set. */
export function hints(members: Partial<addrinfo>): addrinfo {
  return { ...noHints(), ...members };
}

/** Extended hints. */
export function hintsEx(members: Partial<ADDRINFOEX>): ADDRINFOEX {
  return { ...noHints(), ai_blob: null, ai_bloblen: 0, ai_provider: null, ...members, ai_next: null };
}

/** The addresses of a list: `10.0.0.7:80`. */
export function addressesIn(list: addrinfo | ADDRINFOEX | null): string[] {
  return addrinfos<addrinfo>(list as addrinfo | null).map(({ ai_addr, ai_addrlen }) => {
    expect(ai_addr?.length).toBe(ai_addrlen);
    const read = readSockaddr(ai_addr ?? new Uint8Array(0));
    const address = `${read?.address}`;
    return read?.port === 0 ? address : `${address}:${read?.port}`;
  });
}

/** getaddrinfo's addresses, or minus a WSA code. */
export async function addressesOf(
  ws: Winsock,
  node: string | null,
  service: string | null = null,
  wanted: Partial<addrinfo> | null = null,
): Promise<string[] | number> {
  const res: Ref<addrinfo | null> = { value: null };
  const answer = await ws.getaddrinfo(node, service, wanted === null ? null : hints(wanted), res);
  expect(answer === 0).toBe(res.value !== null);
  return answer < 0 ? answer : addressesIn(res.value);
}
