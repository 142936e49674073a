import { describe, expect, test } from '@jest/globals';
import {
  TF_REUSE_SOCKET,
  WSA_OPERATION_ABORTED,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTCONN,
  WSAENOTSOCK,
} from '../../../src/abi/index.ts';
import { AFD_OVERLAPPED, AfdOp } from '../../../src/port/index.ts';
import { connectPair, createRig, SERVER } from './rig.ts';

describe('AcceptEx and DisconnectEx from a client that obeys no rules', () => {
  test('API-AcceptEx descriptors that are none, of another kind, or in use are refused', () => {
    const rig = createRig();
    const server = rig.server.client();
    const listener = server.stream();
    server.bind(listener, SERVER, 80);
    server.listen(listener);
    const fill = (a: number, b = 0, into: Uint8Array | null = null, flags = AFD_OVERLAPPED) =>
      server.call(AfdOp.superAccept, listener, { a, b, into, flags });
    const datagram = server.datagram();
    const target = server.stream();
    for (const [a, code] of [
      [0, WSAENOTSOCK],
      [-1, WSAENOTSOCK],
      [999, WSAENOTSOCK],
      [2 ** 31 - 1, WSAENOTSOCK],
      [listener, WSAEINVAL],
      [datagram, WSAEINVAL],
    ] as const) {
      expect(fill(a).error).toBe(code);
    }
    expect(server.call(AfdOp.superAccept, target, { a: listener }).error).toBe(WSAEINVAL);
    expect(server.call(AfdOp.superAccept, datagram, { a: target }).error).toBe(WSAEINVAL);
    const waiting = fill(target, 0, new Uint8Array(4), 0);
    expect(waiting.pended).toBe(true);
    expect(fill(target).error).toBe(WSAEINVAL);
    server.close(target);
    expect(waiting.error).toBe(WSA_OPERATION_ABORTED);
    const other = server.stream();
    const short = fill(other, 1);
    const client = rig.client.client();
    const c = client.stream();
    client.connect(c, SERVER, 80);
    rig.run();
    expect(short.error).toBe(WSAEFAULT);
    expect(fill(other, 0).error).toBe(0);
  });

  test('API-DisconnectEx flags that are none, and a second one, are refused; a close ends the one that waits', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    const end = (a: number) => client.call(AfdOp.disconnect, c, { a, flags: AFD_OVERLAPPED });
    for (const flags of [1, 4, -1, TF_REUSE_SOCKET | 1]) expect(end(flags).error).toBe(WSAEINVAL);
    const waiting = end(TF_REUSE_SOCKET);
    expect(waiting.pended).toBe(true);
    expect(end(TF_REUSE_SOCKET).error).toBe(WSAEINVAL);
    client.close(c);
    rig.run();
    expect(waiting.error).toBe(WSA_OPERATION_ABORTED);
    const fresh = client.stream();
    expect(client.call(AfdOp.disconnect, fresh, { a: 0 }).error).toBe(WSAENOTCONN);
    expect(client.call(AfdOp.disconnect, client.datagram(), { a: 0 }).error).toBe(WSAENOTCONN);
  });
});
