/**
 * What tests of name-space providers stand on: a host in this process whose applications ask the provider, before the built-in ones.
 *
 *     const { addressesOf, close } = await namingHost({ NSPStartup });
 *     await addressesOf('printer.office');   // ['10.0.0.21']
 *
 * No daemon, no rights, no name server.
 */

import { type addrinfo, addrinfos, NS_NETDES, noHints, readSockaddr, SOCK_STREAM } from '../abi/index.ts';
import type { NameSpaceEntry } from '../port/index.ts';
import { DEFAULT_NAME_SPACES, type NameSpaceModule, type Ref } from '../spi/index.ts';
import { createWinsock, MAKEWORD } from '../winsock/index.ts';
import { createLocalHost } from './local.ts';
import { type AsyncWinsock, asyncWinsock } from './promised.ts';

export interface NamingHost {
  /** An application: the Winsock calls in promises, started at version 2.2. */
  readonly own: AsyncWinsock;
  /**
   * What `getaddrinfo` finds, in the order in which it does.
   * @throws {WinsockError} of the name that the code has
   */
  addressesOf(name: string): Promise<string[]>;
  close(): Promise<void>;
}

const ENTRY: NameSpaceEntry = {
  providerId: 'A0000000-0000-0000-0000-000000000001',
  identifier: 'tested',
  dwNameSpace: NS_NETDES,
  version: 1,
  isActive: true,
  isV2: false,
  path: 'tested',
  blob: null,
};

/** @param module what the provider's module exports: `NSPStartup`, or `NSPv2Routine` of one of version 2 */
export async function namingHost(module: NameSpaceModule): Promise<NamingHost> {
  const host = createLocalHost();
  const spaces = [{ ...ENTRY, isV2: module.NSPStartup === undefined }, ...DEFAULT_NAME_SPACES];
  const winsock = createWinsock({
    port: host.openSession(),
    names: host.openNames(),
    nameSpaces: () => spaces,
    loadNameSpace: () => Promise.resolve(module),
  });
  const own = asyncWinsock(winsock);
  await own.WSAStartup(MAKEWORD(2, 2), {
    wVersion: 0,
    wHighVersion: 0,
    iMaxSockets: 0,
    iMaxUdpDg: 0,
    szDescription: '',
    szSystemStatus: '',
  });
  return {
    own,
    async addressesOf(name) {
      const result: Ref<addrinfo | null> = { value: null };
      await own.getaddrinfo(name, null, { ...noHints(), ai_socktype: SOCK_STREAM }, result);
      return addrinfos(result.value).map(({ ai_addr }) =>
        String(ai_addr === null ? '' : readSockaddr(ai_addr)?.address),
      );
    },
    async close() {
      await own.WSACleanup();
      host.close();
    },
  };
}
