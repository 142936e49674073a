import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';

jest.setTimeout(60_000);

let programs: BlockingPrograms;
beforeAll(() => {
  programs = blockingPrograms();
});
afterAll(() => programs.dispose());

const START = `
  if (isMainThread) ws.WSAStartup(ws.MAKEWORD(2, 2), data);
  function bound(type) { const s = ws.socket(2, type, 0); ws.bind(s, at(0)); return s; }
  function nameOf(s) { const name = new Uint8Array(16); ws.getsockname(s, name, { value: 16 }); return name; }
  function asks(socket, eventFilter, triggerFlags = 5, operation = ws.SOCK_NOTIFY_OP_ENABLE) {
    return { socket, completionKey: 100 + socket, eventFilter, operation, triggerFlags, registrationResult: -1 };
  }
  function next(port, timeout = 20000, room = 4) {
    const [entries, count] = [[], { value: 0 }];
    const error = ws.ProcessSocketNotifications(port, 0, null, timeout, room, entries, count);
    if (error !== 0) return [error];
    return [count.value, ...entries.flatMap((entry) => [entry.lpCompletionKey, ws.SocketNotificationRetrieveEvents(entry)])];
  }
`;

describe('socket state notifications on the blocking face', () => {
  test('API-ProcessSocketNotifications, API-SocketNotificationRetrieveEvents a state is told once, again, and no more', async () => {
    const said = await programs.run(
      'states',
      `${START}
       const [s, peer] = [bound(2), bound(2)];
       const port = ws.CreateIoCompletionPort(ws.INVALID_HANDLE_VALUE);
       const asked = asks(s, ws.SOCK_NOTIFY_EVENT_IN);
       const key = (answer) => answer.map((word) => (word === 100 + s ? 'key' : word));
       say(ws.ProcessSocketNotifications(port, 1, [asked]), asked.registrationResult);
       say(...next(port, 0));
       ws.sendto(peer, Buffer.from('a'), 1, 0, nameOf(s), 16);
       say(...key(next(port)));
       say(...next(port, 0));
       const both = asks(s, ws.SOCK_NOTIFY_EVENT_IN | ws.SOCK_NOTIFY_EVENT_OUT, ws.SOCK_NOTIFY_TRIGGER_PERSISTENT | ws.SOCK_NOTIFY_TRIGGER_LEVEL);
       const [entries, count] = [[], { value: 0 }];
       say(ws.ProcessSocketNotifications(port, 1, [both], 20000, 9, entries, count), both.registrationResult, count.value, ws.SocketNotificationRetrieveEvents(entries[0]));
       say(...key(next(port)));
       const off = asks(s, 0, 0, ws.SOCK_NOTIFY_OP_REMOVE);
       say(ws.ProcessSocketNotifications(port, 1, [off]), off.registrationResult);`,
    );
    expect(said).toEqual([[0, 0], [258], [1, 'key', 1], [258], [0, 0, 1, 3], [1, 'key', 3], [0, 0]]);
  });

  test('API-ProcessSocketNotifications a thread waits for what another registers and makes true', async () => {
    const said = await programs.run(
      'threads',
      `${START}
       if (isMainThread) {
         const [s, peer] = [bound(2), bound(2)];
         const port = ws.CreateIoCompletionPort(ws.INVALID_HANDLE_VALUE);
         const words = new Int32Array(new SharedArrayBuffer(8));
         new Worker(here, { workerData: { port, words } }).on('exit', () => say(words[1] === 100 + s));
         Atomics.wait(words, 0, 0, 20000);
         say(ws.ProcessSocketNotifications(port, 1, [asks(s, ws.SOCK_NOTIFY_EVENT_IN)]));
         ws.sendto(peer, Buffer.from('a'), 1, 0, nameOf(s), 16);
       } else {
         const { port, words } = workerData;
         Atomics.store(words, 0, 1);
         Atomics.notify(words, 0);
         words[1] = next(port)[1];
       }`,
    );
    expect(said).toEqual([[0], [true]]);
  });

  test('API-ProcessSocketNotifications wrong handles, counts, lists and flags are codes', async () => {
    const said = await programs.run(
      'wrong',
      `${START}
       const s = bound(2);
       const port = ws.CreateIoCompletionPort(ws.INVALID_HANDLE_VALUE);
       say(ws.ProcessSocketNotifications(s, 1, [asks(s, 1)]), ws.WSAGetLastError());
       for (const list of [null, [], 7, [null], 'text', {}]) say(ws.ProcessSocketNotifications(port, 1, list));
       say(ws.ProcessSocketNotifications(port, 0, null), ws.ProcessSocketNotifications(port, -1, [asks(s, 1)]));
       say(ws.ProcessSocketNotifications(port, 0, null, 0, 1, null, null), ws.ProcessSocketNotifications(port, 0, null, 0, -1));
       say(ws.ProcessSocketNotifications(port, 0, null, 0, 1, 7, { value: 0 }), ws.GetQueuedCompletionStatusEx(port, 'text', 1, { value: 0 }, 0, false), ws.WSAGetLastError());
       const list = [asks(4242, 1), asks(s, 1, 0), asks(s, 0), asks(s, 1, 10), asks(s, 1, 5, 2), asks(s, 1, 5, 77), {}];
       say(ws.ProcessSocketNotifications(port, list.length, list), ...list.map((each) => each.registrationResult));`,
    );
    const parameter = Array.from({ length: 6 }, () => [87]);
    expect(said).toEqual([
      [6, 6],
      ...parameter,
      [87, 87],
      [87, 87],
      [87, 0, 87],
      [0, 10038, 87, 87, 50, 1168, 87, 10038],
    ]);
  });

  test('API-ProcessSocketNotifications, GetQueuedCompletionStatusEx no more than 256 completions come at a time', async () => {
    const said = await programs.run(
      'many',
      `${START}
       const port = ws.CreateIoCompletionPort(ws.INVALID_HANDLE_VALUE);
       for (let i = 0; i < 2000; i++) ws.PostQueuedCompletionStatus(port, i, 1, null);
       say(next(port, 0, 1e6)[0]);
       const [entries, count] = [[], { value: 0 }];
       say(ws.GetQueuedCompletionStatusEx(port, entries, 1e6, count, 0, false), count.value, entries[0].dwNumberOfBytesTransferred);`,
    );
    expect(said).toEqual([[256], [1, 256, 256]]);
  });
});
