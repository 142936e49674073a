/**
 * A SOCKS5 server over a Winsock, for any number of connections: no authentication, CONNECT to IPv4 and IPv6 (RFC 1928).
 */

import { SD_SEND } from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { bound, name, ok, tcp } from '../conformance/support.ts';

const [SIX_BYTE, SIX_LEN, FOUR_LEN] = [4, 16, 4];

/** It serves until the Winsock is cleaned up. */
export async function socksServer(ws: Winsock, port: number): Promise<void> {
  const { s: listener } = await bound(ws, tcp, '0.0.0.0', port);
  await ok(ws.listen(listener, 5));
  const serveAll = async (): Promise<void> => {
    for (;;) {
      const s = await ws.accept(listener);
      if (s < 0) return;
      void serve(ws, s);
    }
  };
  void serveAll();
}

async function serve(ws: Winsock, s: number): Promise<void> {
  const [, methods = 0] = await take(ws, s, 2);
  await take(ws, s, methods);
  await give(ws, s, Uint8Array.of(5, 0));
  const [, , , kind] = await take(ws, s, 4);
  const address = await take(ws, s, kind === SIX_BYTE ? SIX_LEN : FOUR_LEN);
  const [high = 0, low = 0] = await take(ws, s, 2);
  const isSix = address.length === SIX_LEN;
  const target = await ok(ws.socket(isSix ? 23 : 2, 1, 6));
  const answer = await ws.connect(target, name(textOf(address), (high << 8) | low));
  await give(ws, s, Uint8Array.of(5, answer === 0 ? 0 : 5, 0, 1, 0, 0, 0, 0, 0, 0));
  if (answer === 0) await Promise.all([relay(ws, s, target), relay(ws, target, s)]);
  await ws.closesocket(target);
  await ws.closesocket(s);
}

/** Passes on what comes, to its end. */
async function relay(ws: Winsock, from: number, to: number): Promise<void> {
  const bytes = new Uint8Array(4096);
  for (;;) {
    const count = await ws.recv(from, bytes);
    if (count <= 0) break;
    await give(ws, to, bytes.subarray(0, count));
  }
  await ws.shutdown(to, SD_SEND);
}

async function take(ws: Winsock, s: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const count = await ws.recv(s, bytes.subarray(at));
    if (count <= 0) break;
    at += count;
  }
  return bytes;
}

async function give(ws: Winsock, s: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const count = await ws.send(s, bytes.subarray(at));
    if (count < 0) return;
    at += count;
  }
}

function textOf(address: Uint8Array): string {
  if (address.length === FOUR_LEN) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}
