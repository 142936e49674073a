/**
 * getaddrinfo and its wide form.
 */

import {
  AF_INET,
  AF_INET6,
  type addrinfo,
  NS_ALL,
  sockaddrOf,
  WSA_E_CANCELLED,
  WSAEFAULT,
  WSAEINTR,
  WSANOTINITIALISED,
} from '../../abi/index.ts';
import type { Answer, Ref } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';
import { type AddressQuestion, readHints } from './addrinfo-hints.ts';
import { type Resolved, resolve } from './resolve.ts';

export function addrinfoCalls(process: WinsockProcess) {
  const { naming } = process;

  const getaddrinfo = (
    nodename: string | null,
    servname: string | null,
    hints: addrinfo | null,
    res: Ref<addrinfo | null> | null,
  ): Answer => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    if (res === null) return -WSAEFAULT;
    res.value = null;
    const question = readHints(
      nodename ?? null,
      servname ?? null,
      hints ?? null,
      naming.services,
      process.profile,
    );
    if (typeof question === 'number') return question;
    const finish = (found: Resolved | number): number => {
      if (typeof found === 'number') return found === -WSA_E_CANCELLED ? -WSAEINTR : found;
      res.value = listOf(question, found);
      return 0;
    };
    const found = resolve(naming.spaces, question, { dwNameSpace: NS_ALL, lpNspId: null });
    return found instanceof Promise ? found.then(finish) : finish(found);
  };

  return {
    /**
     * Addresses of a name and a service, in the order in which to try them.
     * @param nodename a name, a numeric address, '' for this host's addresses; `null`: loopback, or with AI_PASSIVE any
     * @param res gets the list, which needs no freeing
     */
    getaddrinfo,
    /** The same in wide characters. */
    GetAddrInfoW: getaddrinfo,
  };
}

/** What is the same in both kinds of result. */
export function resultOf(
  { socktype, protocol, port }: AddressQuestion,
  address: Resolved['addresses'][number],
) {
  const ai_addr = sockaddrOf(address, port);
  return {
    ai_flags: 0,
    ai_family: address.family === 4 ? AF_INET : AF_INET6,
    ai_socktype: socktype,
    ai_protocol: protocol,
    ai_addrlen: ai_addr.length,
    ai_addr,
  };
}

function listOf(question: AddressQuestion, { addresses, canonicalName }: Resolved): addrinfo | null {
  let first: addrinfo | null = null;
  for (const address of [...addresses].reverse()) {
    first = { ...resultOf(question, address), ai_canonname: null, ai_next: first };
  }
  if (first !== null) first.ai_canonname = canonicalName;
  return first;
}
