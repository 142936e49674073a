/**
 * What the examples of the Winsock calls find in scope, besides the module's exports: see the head of `src/app/async.ts`.
 */

import {
  AF_INET,
  IPPROTO_TCP,
  IPPROTO_UDP,
  MAKEWORD,
  SOCK_DGRAM,
  SOCK_STREAM,
  sockaddrOf,
} from '../../../src/app/async.ts';
import { type AsyncWinsock, asyncWinsock } from '../../../src/app/promised.ts';
import { IpAddress } from '../../../src/base/index.ts';
import { createWinsock, type Windows, type Winsock } from '../../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B, joinedHosts, PumpedTime } from '../../conformance/attachment.ts';
import { wsadata } from '../../conformance/support.ts';

/** The names of an example's scope. */
export interface ExampleScope {
  /** The calls of a process on another host, 10.0.0.2. */
  readonly peer: AsyncWinsock;
  /** A stream socket that is connected to `t`. */
  readonly s: number;
  /** The peer's end of that connection. */
  readonly t: number;
  /** A stream socket that listens at 10.0.0.1:80. */
  readonly listener: number;
  /** A datagram socket at 10.0.0.1:5000. */
  readonly u: number;
  /** The peer's datagram socket, at 10.0.0.2:5000. */
  readonly v: number;
  /** The sockaddr of a numeric address and a port. */
  at(address: string, port: number): Uint8Array;
}

/** Two hosts in virtual time, with what an example finds. */
export interface ExampleHosts {
  readonly winsock: Winsock;
  readonly scope: ExampleScope;
  close(): void;
}

const at: ExampleScope['at'] = (address, port) =>
  sockaddrOf(IpAddress.parse(address) ?? IpAddress.anyV4, port);

/** Makes hosts anew: an example sees nothing of those before. */
export async function openExampleHosts(windows: Windows): Promise<ExampleHosts> {
  const scheduler = new PumpedTime();
  const hosts = joinedHosts(scheduler);
  const process = (host: 'a' | 'b', own?: Windows): Winsock =>
    createWinsock({
      port: hosts[host].openSession(),
      names: hosts[host].openNames(),
      catalogPort: hosts[host].openCatalog(),
      scheduler,
      ...(own === undefined ? {} : { windows: own }),
    });
  const winsock = process('a', windows);
  const [here, peer] = [asyncWinsock(winsock), asyncWinsock(process('b'))];
  for (const calls of [here, peer]) await calls.WSAStartup(MAKEWORD(2, 2), wsadata());
  const bound = async (calls: AsyncWinsock, type: number, name: Uint8Array): Promise<number> => {
    const s = await calls.socket(AF_INET, type, type === SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
    await calls.bind(s, name);
    return s;
  };
  const listener = await bound(here, SOCK_STREAM, at(ADDRESS_A, 80));
  await here.listen(listener, 5);
  const server = await bound(peer, SOCK_STREAM, at(ADDRESS_B, 80));
  await peer.listen(server, 5);
  const s = await here.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  const accepting = peer.accept(server);
  await here.connect(s, at(ADDRESS_B, 80));
  const t = await accepting;
  const u = await bound(here, SOCK_DGRAM, at(ADDRESS_A, 5000));
  const v = await bound(peer, SOCK_DGRAM, at(ADDRESS_B, 5000));
  return {
    winsock,
    scope: { peer, s, t, listener, u, v, at },
    close() {
      hosts.a.close();
      hosts.b.close();
      scheduler.stop();
    },
  };
}
