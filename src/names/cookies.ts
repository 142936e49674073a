/**
 * DNS cookies, the client's side (RFC 7873): a server that knows them repeats eight bytes of ours in every answer, which somebody who
 * does not see our questions would have to guess.
 */

import type { Random } from '../base/index.ts';
import type { ServerState } from './servers.ts';

const CLIENT_LEN = 8;
const SERVER_LEN_MIN = 8;
const SERVER_LEN_MAX = 32;

/** `plain`: the server has never said that it knows cookies; `missing`: it has, and says nothing now; `forged`: another's. */
export type CookieVerdict = 'good' | 'plain' | 'missing' | 'forged';

/** What a question to a server carries. */
export function cookieFor(server: ServerState, random: Random): Uint8Array {
  server.clientCookie ??= randomBytes(random, CLIENT_LEN);
  const { clientCookie, serverCookie } = server;
  return Uint8Array.from([...clientCookie, ...(serverCookie ?? [])]);
}

/** Looks at the cookie of an answer to a question that carried `sent`, and keeps the server's part of it (§5.3). */
export function judgeCookie(
  server: ServerState,
  sent: Uint8Array,
  cookie: Uint8Array | undefined,
): CookieVerdict {
  if (cookie === undefined) return server.serverCookie === null ? 'plain' : 'missing';
  const serverPart = cookie.subarray(CLIENT_LEN);
  const isOurs = isSameClient(sent, cookie);
  const isWhole = serverPart.length >= SERVER_LEN_MIN && serverPart.length <= SERVER_LEN_MAX;
  if (!isOurs || !isWhole) return 'forged';
  // It may be that we ask with another one by now.
  if (server.clientCookie !== null && isSameClient(server.clientCookie, cookie))
    server.serverCookie = serverPart.slice();
  return 'good';
}

function isSameClient(a: Uint8Array, b: Uint8Array): boolean {
  return a.subarray(0, CLIENT_LEN).every((byte, i) => b[i] === byte);
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.next() >>> 24);
}
