/**
 * The ICMP helper API as the chain thread makes its calls for the blocking face: numbers, 0 or more, or minus the error.
 */

import {
  AF_INET,
  IP_GENERAL_FAILURE,
  type IP_OPTION_INFORMATION,
  readSockaddr,
  SOCKADDR_IN6_LEN,
} from '../abi/index.ts';
import { copyOf } from '../base/index.ts';
import type { AttachOptions } from './attach.ts';
import {
  Icmp6CreateFile,
  Icmp6SendEcho2,
  IcmpCloseHandle,
  IcmpCreateFile,
  IcmpError,
  IcmpSendEcho2Ex,
} from './icmp.ts';
import { ICMP_CLOSE, ICMP_CREATE, ICMP_SEND } from './signatures-icmp.ts';

/** Bytes of the options before their data: TTL, type of service, flags. */
export const OPTIONS_HEAD_LEN = 3;

/** Makes calls by their numbers. */
export class IcmpCalls {
  readonly #options: () => Promise<AttachOptions>;

  /** @param options where the stack is */
  constructor(options: () => Promise<AttachOptions>) {
    this.#options = options;
  }

  /** @returns the value of the call, or minus its error */
  async make(index: number, args: readonly unknown[]): Promise<number> {
    try {
      return await this.#make(index, args);
    } catch (error) {
      return -(error instanceof IcmpError ? error.code : IP_GENERAL_FAILURE);
    }
  }

  async #make(index: number, args: readonly unknown[]): Promise<number> {
    const [first] = args as readonly [number];
    switch (index) {
      case ICMP_CREATE: {
        const options = await this.#options();
        return first === AF_INET ? IcmpCreateFile(options) : Icmp6CreateFile(options);
      }
      case ICMP_CLOSE:
        return IcmpCloseHandle(first);
      case ICMP_SEND:
        return send(args as SendArguments);
      default:
        return -IP_GENERAL_FAILURE;
    }
  }
}

type SendArguments = readonly [
  handle: number,
  source: Uint8Array | null,
  destination: Uint8Array,
  data: Uint8Array,
  options: Uint8Array | null,
  reply: Uint8Array,
  timeout: number,
];

function send([handle, source, to, data, options, reply, timeout]: SendArguments): Promise<number> {
  // The mailbox is shared with the caller: what is sent must not change on its way.
  const request = copyOf(data);
  const wish = options === null ? null : readOptions(options);
  if (to.length === SOCKADDR_IN6_LEN) {
    const from = source ?? new Uint8Array(0);
    return Icmp6SendEcho2(
      handle,
      null,
      null,
      null,
      copyOf(from),
      copyOf(to),
      request,
      request.length,
      wish,
      reply,
      reply.length,
      timeout,
    );
  }
  const [from, destination] = [source, to].map(ipv4In) as [number, number];
  return IcmpSendEcho2Ex(
    handle,
    null,
    null,
    null,
    from,
    destination,
    request,
    request.length,
    wish,
    reply,
    reply.length,
    timeout,
  );
}

/** An IPAddr of a sockaddr: in network order in a little-endian number. */
function ipv4In(bytes: Uint8Array | null): number {
  const word = bytes === null ? 0 : (readSockaddr(bytes)?.address.w3 ?? 0);
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function readOptions(bytes: Uint8Array): IP_OPTION_INFORMATION {
  const [Ttl = 0, Tos = 0, Flags = 0] = bytes;
  const data = bytes.slice(OPTIONS_HEAD_LEN);
  return { Ttl, Tos, Flags, OptionsData: data.length === 0 ? null : data };
}
