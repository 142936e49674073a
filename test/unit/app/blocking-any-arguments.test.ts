/** Any value in any place of any function of the blocking faces: what C returns, never an exception, and the process goes on. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';
import { compile } from '../../support/compiled.ts';

// Each test is a program of its own.
jest.setTimeout(60_000);

let programs: BlockingPrograms;
beforeAll(() => {
  programs = blockingPrograms();
  const check = pathToFileURL(resolve('node_modules/fast-check/lib/fast-check.js')).href;
  const source = compile(readFileSync('test/support/any-arguments.ts', 'utf8'));
  programs.write('any.mjs', source.replace(/['"]fast-check['"]/, JSON.stringify(check)));
});
afterAll(() => programs.dispose());

const SETUP = (module: string) => `
  const { anyCall, argumentsOf, functionsOf } = await import(new URL('./any.mjs', here));
  const fc = (await import(${JSON.stringify(pathToFileURL(resolve('node_modules/fast-check/lib/fast-check.js')).href)})).default;
  const face = await load(${JSON.stringify(module)});
  const names = functionsOf(face, await load('../abi/index'));
  let handles = { socket: 0, stream: 0, event: 0, port: 0, window: 0 };
  /** Makes what calls may have taken away anew, and gives waits something to find. */
  function prepare() {
    let { socket, stream, event, port, window } = handles;
    if (ws.WSAHtons(0, 0, { value: 0 }) === -1 && ws.WSAGetLastError() === 10093) ws.WSAStartup(ws.MAKEWORD(2, 2), data);
    const name = new Uint8Array(16);
    if (ws.getsockname(socket, name) < 0) {
      socket = ws.socket(2, 2, 0);
      ws.bind(socket, at(0));
      ws.ioctlsocket(socket, ws.FIONBIO, { value: 1 });
      ws.getsockname(socket, name);
    }
    ws.sendto(socket, new Uint8Array(2), 2, 0, name);
    if (ws.WSAHtons(stream, 0, { value: 0 }) < 0) {
      stream = ws.socket(2, 1, 0);
      ws.ioctlsocket(stream, ws.FIONBIO, { value: 1 });
    }
    if (ws.WSASetEvent(event) === 0) event = ws.WSACreateEvent();
    if (ws.PostQueuedCompletionStatus(port, 0, 0, null) === 0) port = ws.CreateIoCompletionPort(-1, 0, 0, 0);
    if (!ws.IsWindow(window)) window = ws.CreateWindow();
    ws.PostQuitMessage(0);
    handles = { socket, stream, event, port, window };
  }
  const wrong = [];
  /** Makes a call; the last one that hangs is seen on the error output. */
  function make(name, args) {
    try {
      const answer = face[name](...args);
      const isRight = ['number', 'undefined', 'boolean', 'string', 'bigint', 'object'].includes(typeof answer) && !(answer instanceof Promise);
      if (!isRight || !Number.isInteger(ws.WSAGetLastError())) wrong.push([name, String(answer)]);
    } catch (error) {
      // What a function of the application throws goes to the application.
      if (error?.message !== 'a routine') wrong.push([name, String(error?.stack ?? error)]);
    }
  }
`;

describe.each(['blocking', 'wsock32'])('any arguments for %s', (module) => {
  test('SEM-C-01, SEM-C-03 before WSAStartup and after it, any value is a code, and the process goes on', async () => {
    const said = await programs.run(
      `any-${module}`,
      `${SETUP(module)}
       const early = names.filter((name) => !['GetMessage', 'WSAStartup', 'SleepEx'].includes(name));
       for (const name of early) make(name, [Symbol('s'), 5n, {}, Number.NaN]);
       const before = wrong.length;
       for (const call of fc.sample(anyCall(names), 1500)) {
         prepare();
         make(call.name, argumentsOf(call, handles));
       }
       while (ws.WSACleanup() === 0);
       ws.WSAStartup(ws.MAKEWORD(2, 2), data);
       const s = ws.socket(2, 2, 0);
       ws.bind(s, at(5005));
       ws.sendto(s, Buffer.from('still here'), 10, 0, at(5005));
       const bytes = new Uint8Array(16);
       say(before, text(bytes, ws.recv(s, bytes, 16, 0)), wrong);`,
    );
    expect(said).toEqual([[0, 'still here', []]]);
  });

  test('SEM-C-03 what a symbol, a bigint, NaN or an object stands for', async () => {
    const said = await programs.run(
      `named-${module}`,
      `${SETUP(module)}
       prepare();
       const { socket } = handles;
       const error = (answer) => [answer, ws.WSAGetLastError()];
       say(...error(face.recv(Symbol('s'), new Uint8Array(4), 4, 0)), ...error(face.closesocket({})), ...error(face.bind(4n, at(1))));
       say(...error(face.recv(socket, 'text', 4, 0)), ...error(face.recv(socket, new Uint8Array(4), Number.NaN, 0)), ...error(face.recv(socket, new Uint8Array(4), Infinity, 0)));
       say(...error(face.select(0, { fd_array: [Symbol('s')] })), ...error(face.select(0, { fd_array: 5 })), ...error(face.getsockname(socket, {}, { value: 16 })));
       const frozen = Object.freeze({ value: 16 });
       say(...error(face.getsockname(socket, new Uint8Array(16), frozen)), ...error(face.ioctlsocket(socket, ws.FIONREAD, { value: 5n })));
       const hostile = { get value() { throw new Error('no page'); } };
       say(...error(face.getsockname(socket, new Uint8Array(16), hostile)), ...error(face.gethostbyname(Symbol('name'))));`,
    );
    expect(said).toEqual([
      [-1, 10038, -1, 10038, -1, 10038],
      [-1, 10014, -1, 10014, -1, 10014],
      [-1, 10038, -1, 10014, -1, 10014],
      [-1, 10014, -1, 10014],
      [-1, 10014, null, 10014],
    ]);
  });
});
