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
  const FLAGS = 0x1 | ws.WSA_FLAG_REGISTERED_IO;
  function rio(type = 2) { const s = ws.WSASocket(2, type, 0, null, 0, FLAGS); ws.bind(s, at(0)); return s; }
  function nameOf(s) { const name = new Uint8Array(16); ws.getsockname(s, name, { value: 16 }); return name; }
  function queues(s, context = 'socket', size = 8) {
    const event = ws.WSACreateEvent();
    const cq = ws.RIOCreateCompletionQueue(2 * size, { Type: ws.RIO_EVENT_COMPLETION, EventHandle: event, NotifyReset: true });
    const rq = ws.RIOCreateRequestQueue(s, size, 1, size, 1, cq, cq, context);
    return { event, cq, rq };
  }
  const part = (BufferId, Offset, Length) => ({ BufferId, Offset, Length });
  /** Takes so many results, waiting for them. */
  function results({ cq, event }, count) {
    const all = [];
    while (all.length < count) {
      ws.RIONotify(cq);
      ws.WSAWaitForMultipleEvents(1, [event], true, 20000, false);
      const some = [];
      ws.RIODequeueCompletion(cq, some, 100);
      all.push(...some);
    }
    return all;
  }
  function wait(words, index) { Atomics.wait(words, index, 0, 20000); }
  function set(words, index) { Atomics.store(words, index, 1); Atomics.notify(words, index); }
`;

describe('registered I/O on the blocking face', () => {
  test('API-RIORegisterBuffer, API-RIOReceiveEx, API-RIOSendEx, API-RIODequeueCompletion, STR-RIO bytes of buffers that are not shared come when a result is dequeued', async () => {
    const said = await programs.run(
      'messages',
      `${START}
       const [a, b] = [rio(), rio()];
       const [from, to] = [queues(a), queues(b, 7)];
       const [out, into] = [new Uint8Array(256), new Uint8Array(256).fill(46)];
       const outId = ws.RIORegisterBuffer(out, 256);
       const intoId = ws.RIORegisterBuffer(into, 256);
       out.set(Buffer.from('hello'));
       out.set(nameOf(b), 100);
       const context = { any: 'thing' };
       say(ws.RIOReceiveEx(to.rq, part(intoId, 1, 50), 1, part(intoId, 200, 28), part(intoId, 100, 28), null, part(intoId, 150, 4), 0, context));
       say(ws.RIOSendEx(from.rq, part(outId, 0, 5), 1, null, part(outId, 100, 28), null, null, 0, 41));
       say(...results(from, 1));
       ws.WSAWaitForMultipleEvents(1, [to.event], true, 0, false);
       ws.RIONotify(to.cq);
       ws.WSAWaitForMultipleEvents(1, [to.event], true, 20000, false);
       say(text(into, 7), into[150]);
       const got = [];
       say(ws.RIODequeueCompletion(to.cq, got, 9), got[0].RequestContext === context, got[0].SocketContext, got[0].Status, got[0].BytesTransferred);
       say(text(into, 7), into[150], text(into.subarray(102, 108)) === text(nameOf(a).subarray(2, 8)));
       say(ws.RIODequeueCompletion(to.cq, got, 9), got.length);`,
    );
    expect(said).toEqual([
      [1],
      [1],
      [{ Status: 0, BytesTransferred: 5, SocketContext: 'socket', RequestContext: 41 }],
      ['.......', 46],
      [1, true, 7, 0, 5],
      ['.hello.', 0, true],
      [0, 0],
    ]);
  });

  test('API-RIOReceive, API-RIOSend, RIO_MSG_WAITALL, RIO_MSG_DEFER streams, with many results at once', async () => {
    const said = await programs.run(
      'streams',
      `${START}
       const listener = rio(1);
       ws.listen(listener, 5);
       const client = ws.WSASocket(2, 1, 6, null, 0, FLAGS);
       ws.connect(client, nameOf(listener));
       const server = ws.accept(listener);
       const [from, to] = [queues(client, null, 300), queues(server, null, 300)];
       const [out, into] = [Buffer.alloc(600, 'abc'), Buffer.alloc(600)];
       const [outId, intoId] = [ws.RIORegisterBuffer(out, 600), ws.RIORegisterBuffer(into, 600)];
       let posted = 0;
       for (let i = 0; i < 300; i++) posted += ws.RIOReceive(to.rq, part(intoId, 2 * i, 2), 1, ws.RIO_MSG_WAITALL, i);
       for (let i = 0; i < 300; i++) posted += ws.RIOSend(from.rq, part(outId, 2 * i, 2), 1, ws.RIO_MSG_DEFER, i);
       say(posted, ws.RIODequeueCompletion(from.cq, [], 9));
       say(ws.RIOSend(from.rq, null, 0, ws.RIO_MSG_COMMIT_ONLY, {}));
       say(results(from, 300).length);
       const all = results(to, 300);
       say(all.every(({ RequestContext }, i) => RequestContext === i), into.equals(out));
       say(ws.RIODequeueCompletion(to.cq, all, 9), all.length);`,
    );
    expect(said).toEqual([[600, 0], [1], [300], [true, true], [0, 0]]);
  });

  test('API-RIODequeueCompletion an array takes as many results as there is room for', async () => {
    const said = await programs.run(
      'room',
      `${START}
       const [a, b] = [rio(), rio()];
       const { cq, rq, event } = queues(a, null, 500);
       ws.connect(a, nameOf(b));
       const id = ws.RIORegisterBuffer(new Uint8Array(new SharedArrayBuffer(8)), 8);
       for (let i = 0; i < 400; i++) ws.RIOSend(rq, part(id, 0, 1), 1, 0, i);
       const got = [];
       say(ws.RIODequeueCompletion(cq, got, 300), got.length, got[299].RequestContext);
       say(ws.RIODequeueCompletion(cq, got, 1e9), got.length, got[0].RequestContext);`,
    );
    expect(said).toEqual([
      [300, 300, 299],
      [100, 100, 300],
    ]);
  });

  test('API-RIORegisterBuffer, API-RIODeregisterBuffer shared memory is every thread’s, contexts that are numbers too', async () => {
    const said = await programs.run(
      'threads',
      `${START}
       const contexts = (all) => all.map(({ RequestContext, SocketContext, BytesTransferred }) => [RequestContext, SocketContext, BytesTransferred]);
       if (isMainThread) {
         const [a, b] = [rio(), rio()];
         ws.connect(b, nameOf(a));
         const words = new Int32Array(new SharedArrayBuffer(16));
         const bytes = new Uint8Array(new SharedArrayBuffer(64), 8, 32);
         const own = new Uint8Array(8).fill(45);
         const id = ws.RIORegisterBuffer(bytes, 32);
         const ownId = ws.RIORegisterBuffer(own, 8);
         const to = queues(a, {});
         const worker = new Worker(here, { workerData: { to, words, bytes, id, ownId } });
         worker.on('message', (said) => say(...said));
         wait(words, 0);
         ws.send(b, Buffer.from('one'));
         say(contexts(results(to, 1)), text(bytes.subarray(4, 7)));
         ws.send(b, Buffer.from('two'));
         say(contexts(results(to, 1)).length, text(own, 4));
         const bad = ws.RIOReceive(to.rq, part(id, 0, 32), 1, 0, { only: 'here' });
         set(words, 1);
         ws.send(b, Buffer.from('three'));
         wait(words, 2);
         say(bad, text(bytes, 5), ws.RIOReceive(to.rq, part(id, 0, 32), 1, 0, 0), ws.WSAGetLastError());
       } else {
         const { to, words, bytes, id, ownId } = workerData;
         const posted = [ws.RIOReceive(to.rq, part(id, 4, 8), 1, 0, 77), ws.RIOReceive(to.rq, part(ownId, 1, 7), 1, 0, { only: 'here' })];
         set(words, 0);
         wait(words, 1);
         parentPort.postMessage([posted, contexts(results(to, 1)), text(bytes, 5)]);
         ws.RIODeregisterBuffer(id);
         set(words, 2);
       }`,
    );
    expect(said).toContainEqual([[1, 1], [[null, null, 5]], 'three']);
    expect(said.filter((line) => line.length !== 3)).toEqual([
      [[[77, {}, 3]], 'one'],
      [1, '-two'],
      [1, 'three', 0, 10014],
    ]);
  });

  test('API-RIONotify, API-RIOCreateCompletionQueue a completion port tells with the thread’s own record', async () => {
    const said = await programs.run(
      'port',
      `${START}
       const [a, b] = [rio(), rio()];
       ws.connect(a, nameOf(b));
       const port = ws.CreateIoCompletionPort(ws.INVALID_HANDLE_VALUE);
       const Overlapped = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
       const cq = ws.RIOCreateCompletionQueue(8, { Type: ws.RIO_IOCP_COMPLETION, IocpHandle: port, CompletionKey: 5, Overlapped });
       const rq = ws.RIOCreateRequestQueue(a, 1, 1, 4, 1, cq, cq, null);
       const id = ws.RIORegisterBuffer(new Uint8Array(8), 8);
       const take = (timeout) => { const [n, key, of] = [{ value: 0 }, { value: 0 }, { value: null }]; const took = ws.GetQueuedCompletionStatus(port, n, key, of, timeout); return [took, key.value, of.value === Overlapped]; };
       say(ws.RIONotify(cq), ws.RIONotify(cq));
       for (let round = 0; round < 2; round++) {
         ws.RIOSend(rq, part(id, 0, 1), 1, 0, 0);
         say(...take(20000), ws.RIODequeueCompletion(cq, [], 9));
         say(ws.RIONotify(cq));
       }
       ws.RIOSend(rq, part(id, 0, 1), 1, ws.RIO_MSG_DONT_NOTIFY, 0);
       say(...take(0));
       ws.RIOCloseCompletionQueue(cq);
       say(ws.RIONotify(cq), ws.WSAGetLastError());`,
    );
    expect(said).toEqual([
      [0, 10037],
      [1, 5, true, 1],
      [0],
      [1, 5, true, 1],
      [0],
      [0, 0, false],
      [10022, 10022],
    ]);
  });

  test('API-RIOReceive, API-RIORegisterBuffer, API-RIOCreateRequestQueue, API-RIOResizeCompletionQueue, API-RIOResizeRequestQueue wrong handles, buffers and lengths are codes', async () => {
    const said = await programs.run(
      'wrong',
      `${START}
       const error = (answer) => [answer, ws.WSAGetLastError()];
       const s = rio();
       const { cq, rq } = queues(s, null, 2);
       const bytes = new Uint8Array(8);
       const id = ws.RIORegisterBuffer(bytes, 4);
       for (const [buffer, length] of [[null, 4], ['text', 4], [{}, 4], [bytes, 9], [bytes, 0], [bytes, -1], [bytes, NaN]]) say(...error(ws.RIORegisterBuffer(buffer, length)));
       for (const data of [part(99, 0, 1), part(id, 0, 5), part(id, -1, 2), part(id, 1.5, 1), part(id, 0, NaN), {}, 7]) say(...error(ws.RIOReceive(rq, data, 1, 0, 0)));
       say(...error(ws.RIOReceive(99, part(id, 0, 1), 1, 0, 0)), ...error(ws.RIOSend(rq, null, 1, 0, 0)), ...error(ws.RIOSend(rq, part(id, 0, 1), 2, 0, 0)), ...error(ws.RIOSend(rq, part(id, 0, 1), 1, 64, 0)));
       say(...[1, 2, 3].flatMap((i) => error(ws.RIOReceive(rq, part(id, 0, 1), 1, 0, {}))));
       say(...error(ws.RIODequeueCompletion(99, [], 1)), ...error(ws.RIODequeueCompletion(cq, null, 1)), ...error(ws.RIODequeueCompletion(cq, [], 0)), ws.RIODequeueCompletion(cq, 'text', 1));
       say(...error(ws.RIOCreateCompletionQueue(0, null)), ...error(ws.RIOCreateCompletionQueue(1, { Type: 1, EventHandle: 99, NotifyReset: false })), ...error(ws.RIOCreateCompletionQueue(1, { Type: 2, IocpHandle: 99, CompletionKey: 0, Overlapped: null })), ...error(ws.RIOCreateCompletionQueue(1, {})));
       say(...error(ws.RIOCreateRequestQueue(4242, 1, 1, 1, 1, cq, cq, {})), ...error(ws.RIOCreateRequestQueue(ws.socket(2, 2, 0), 1, 1, 1, 1, cq, cq, {})), ...error(ws.RIOCreateRequestQueue(rio(), 9, 1, 1, 1, cq, cq, {})));
       say(ws.RIOResizeCompletionQueue(cq, 9), ...error(ws.RIOResizeCompletionQueue(cq, 1)), ws.RIOResizeRequestQueue(rq, 3, 2), ...error(ws.RIOResizeRequestQueue(rq, 1, 1)));
       structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
       say(ws.RIOSend(rq, part(id, 0, 1), 1, 0, 0));
       ws.RIODeregisterBuffer(id);
       ws.RIODeregisterBuffer(99);
       say(...error(ws.RIOReceive(rq, part(id, 0, 1), 1, 0, 0)));
       ws.WSACleanup();
       say(...error(ws.RIORegisterBuffer(new Uint8Array(8), 8)), ...error(ws.RIOReceive(rq, null, 0, 0, {})), ...error(ws.RIODequeueCompletion(cq, [], 1)), ws.RIONotify(cq));`,
    );
    const none = 0xffffffff;
    expect(said).toEqual([
      ...[10014, 10014, 10014, 10014, 10022, 10022, 10014].map((code) => [none, code]),
      ...Array.from({ length: 7 }, () => [0, 10014]),
      [0, 10022, 0, 10022, 0, 10022, 0, 10022],
      [1, 0, 1, 0, 0, 10055],
      [none, 0, none, 0, none, 0, none],
      [0, 10022, 0, 10022, 0, 10022, 0, 10022],
      [0, 10038, 0, 10045, 0, 10055],
      [1, 0, 10059, 1, 0, 10059],
      [1],
      [0, 10014],
      [none, 10093, 0, 10093, none, 10093, 10093],
    ]);
  });

  test('API-RIODequeueCompletion what other threads dequeue is forgotten where it was posted', async () => {
    const said = await programs.run(
      'forgotten',
      `${START}
       const words = isMainThread ? new Int32Array(new SharedArrayBuffer(16)) : workerData.words;
       if (isMainThread) {
         const { setFlagsFromString } = await import('node:v8');
         const { runInNewContext } = await import('node:vm');
         setFlagsFromString('--expose-gc');
         const gc = runInNewContext('gc');
         const [a, b] = [rio(), rio()];
         ws.connect(a, nameOf(b));
         const { cq, rq } = queues(a, {}, 64);
         const id = ws.RIORegisterBuffer(new Uint8Array(8), 8);
         const post = () => { const context = { some: 'thing' }; ws.RIOSend(rq, part(id, 0, 1), 1, 0, context); return new WeakRef(context); };
         const others = Array.from({ length: 40 }, post);
         new Worker(here, { workerData: { cq, words } });
         wait(words, 0);
         const last = Array.from({ length: 10 }, post);
         await new Promise((done) => setImmediate(done));
         gc();
         say(words[1], others.filter((each) => each.deref() !== undefined).length, last.filter((each) => each.deref() !== undefined).length);
       } else {
         words[1] = ws.RIODequeueCompletion(workerData.cq, [], 100);
         set(words, 0);
       }`,
    );
    expect(said).toEqual([[40, 0, 10]]);
  });
});
