/** Any value in any place of any call: a code, never an exception, and the process goes on (SEM-C-*). */

import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import * as abi from '../../src/abi/index.ts';
import { WSAEFAULT, WSAENOTSOCK, WSANOTINITIALISED } from '../../src/abi/index.ts';
import * as face from '../../src/app/async.ts';
import { asyncWinsock, STRUCTURE_CALLS } from '../../src/app/promised.ts';
import { MAKEWORD, type Winsock, WinsockError } from '../../src/winsock/index.ts';
import {
  type AnyFunction,
  anyCall,
  argumentsOf,
  functionsOf,
  type Handles,
} from '../support/any-arguments.ts';
import {
  bound,
  name,
  nonBlocking,
  ok,
  overEveryAttachment,
  receiveText,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

jest.setTimeout(60_000);

/** After which time a call counts as one that waits, ms. */
const PATIENCE = 3;

/** Makes what calls may have taken away anew. */
async function handlesOf(ws: Winsock, before: Handles): Promise<Handles> {
  let { socket, stream, event, port, window } = before;
  if ((await ws.WSAHtons(0, 0, { value: 0 })) === -WSANOTINITIALISED) {
    await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
  }
  if ((await ws.getsockname(socket, new Uint8Array(16))) < 0) {
    ({ s: socket } = await bound(ws, udp));
    await nonBlocking(ws, socket);
  }
  if ((await ws.WSAHtons(stream, 0, { value: 0 })) < 0) stream = await tcp(ws);
  if ((await ws.WSASetEvent(event)) < 0) event = await ok(ws.WSACreateEvent());
  if ((await ws.PostQueuedCompletionStatus(port, 0, 0, null)) < 0) {
    port = await ok(ws.CreateIoCompletionPort(-1, 0, 0, 0));
  }
  if ((await ws.PostMessage(window, 0x400, 0, 0)) < 0) window = await ok(ws.CreateWindow());
  return { socket, stream, event, port, window };
}

/** How a call ended; `null` when it may end like that. */
function wrongEnding(call: string, ending: PromiseSettledResult<unknown>): unknown {
  if (ending.status === 'rejected') {
    const error: unknown = ending.reason;
    // What a function of the application throws goes to the application.
    if (error instanceof Error && error.message === 'a routine') return null;
    return error instanceof WinsockError && Number.isInteger(error.code) && error.code > 0 ? null : error;
  }
  const isAnswer = Object.hasOwn(STRUCTURE_CALLS, call)
    ? typeof ending.value === 'object'
    : Number.isInteger(ending.value);
  return isAnswer ? null : ending.value;
}

const NO_HANDLES: Handles = { socket: 0, stream: 0, event: 0, port: 0, window: 0 };

overEveryAttachment('any arguments', (pair) => {
  test('SEM-C-01, SEM-C-03 any value for any argument is a code, and the process goes on', async () => {
    const { processOn } = await pair();
    const ws = await processOn('a');
    const calls = asyncWinsock(ws) as unknown as Readonly<Record<string, AnyFunction>>;
    const names = Object.keys(calls);
    const waiting: Promise<void>[] = [];
    const wrong: unknown[] = [];
    const make = async (call: string, args: readonly unknown[]): Promise<void> => {
      const settled = Promise.allSettled([calls[call]?.(...args)]).then(([ending]) => {
        const found = ending === undefined ? null : wrongEnding(call, ending);
        if (found !== null) wrong.push([call, found, args]);
      });
      waiting.push(settled);
      await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
      expect(wrong).toEqual([]);
    };
    // Before WSAStartup, first.
    for (const each of names.filter((each) => each !== 'WSAStartup')) await make(each, [Symbol('s'), 5n, {}]);
    let handles = NO_HANDLES;
    await fc.assert(
      fc.asyncProperty(anyCall(names), async (call) => {
        handles = await handlesOf(ws, handles);
        await make(call.name, argumentsOf(call, handles));
      }),
      { numRuns: 1500 },
    );
    // What still waits ends with the process's use of Winsock; message loops end by their own message.
    while ((await ws.WSACleanup()) === 0);
    for (let i = 0; i < waiting.length; i++) await ws.PostQuitMessage(0);
    await Promise.all(waiting);
    expect(wrong).toEqual([]);
    const fresh = await processOn('a');
    await ok(fresh.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const { s, port } = await bound(fresh, udp);
    await ok(fresh.sendto(s, text('still here'), 10, 0, name('127.0.0.1', port)));
    expect(await receiveText(fresh, s)).toBe('still here');
  });

  test('SEM-C-01, SEM-C-03 memory that can’t be read is looked at after WSAStartup and the socket', async () => {
    const { processOn } = await pair();
    const ws = await processOn('a');
    const { recv, select, WSAStartup } = asyncWinsock(ws);
    const memory = 'no bytes' as unknown as Uint8Array;
    await expect(recv(4, memory, 1, 0)).rejects.toMatchObject({ code: WSANOTINITIALISED });
    await expect(WSAStartup(MAKEWORD(2, 2), 7 as never)).rejects.toMatchObject({ code: WSAEFAULT });
    await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
    await expect(recv(4242, memory, 1, 0)).rejects.toMatchObject({ code: WSAENOTSOCK });
    await expect(recv('4' as never, memory, 1, 0)).rejects.toMatchObject({ code: WSAENOTSOCK });
    const s = await udp(ws);
    await expect(recv(s, memory, 1, 0)).rejects.toMatchObject({ code: WSAEFAULT });
    await expect(recv(s, new Uint8Array(4), 5n as never, 0)).rejects.toMatchObject({ code: WSAEFAULT });
    await expect(select(0, { fd_array: 'abc' } as never)).rejects.toMatchObject({ code: WSAEFAULT });
    await expect(select(0, Object.freeze({ fd_array: [s] }))).rejects.toMatchObject({ code: WSAEFAULT });
  });
});

test('SEM-C-03 functions of their arguments alone take any value, too', () => {
  const functions = face as unknown as Readonly<Record<string, AnyFunction>>;
  // Calls promise; without WSAStartup, which would look for a daemon, they only say so.
  const names = functionsOf(functions, abi).filter((each) => each !== 'WSAStartup');
  fc.assert(
    fc.property(anyCall(names), (call) => {
      try {
        const answer = functions[call.name]?.(...argumentsOf(call, NO_HANDLES));
        if (answer instanceof Promise) answer.catch(() => {});
      } catch (error) {
        if (error instanceof Error && error.message === 'a routine') return;
        expect([call.name, error]).toEqual([call.name, expect.any(WinsockError)]);
      }
    }),
    { numRuns: 3000 },
  );
});
