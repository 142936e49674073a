// An echo server with a completion port and two threads that take from it, by calls that block. It links to the daemon that WINSOCKD_SOCKET
// names. Threads share no objects: what all of them need lies in shared memory, and of a record that another thread has begun one
// gets a copy, with its Tag.
//
//   node examples/completion-port-echo.mjs [PORT]
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import {
  AF_INET,
  bind,
  CreateIoCompletionPort,
  closesocket,
  GetQueuedCompletionStatus,
  INFINITE,
  INVALID_HANDLE_VALUE,
  INVALID_SOCKET,
  IPPROTO_TCP,
  listen,
  MAKEWORD,
  SOCK_STREAM,
  SOCKADDR_IN_LEN,
  SOCKET_ERROR,
  sockaddrOf,
  WSA_FLAG_OVERLAPPED,
  WSA_IO_PENDING,
  WSAAccept,
  WSAGetLastError,
  WSARecv,
  WSASend,
  WSASocket,
  WSAStartup,
} from 'winsockd/winsock';

const PLACES = 64;
const LENGTH = 4096;
const [RECEIVE, SEND] = [1, 2];

/** A socket and a buffer for each connection; the completion key is its place. */
const { port, sockets, buffers } = isMainThread ? start() : workerData;
const handles = new Int32Array(sockets);
if (isMainThread) acceptAll();
else serve();

function start() {
  WSAStartup(MAKEWORD(2, 2), {});
  const shared = {
    port: CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0),
    sockets: new SharedArrayBuffer(4 * PLACES),
    buffers: new SharedArrayBuffer(LENGTH * PLACES),
  };
  for (let i = 0; i < 2; i++) new Worker(new URL(import.meta.url), { workerData: shared });
  return shared;
}

function acceptAll() {
  const listener = WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, null, 0, WSA_FLAG_OVERLAPPED);
  check(bind(listener, sockaddrOf('0.0.0.0', Number(process.argv[2] ?? 7)), SOCKADDR_IN_LEN));
  check(listen(listener, 5));
  console.log('echo: listening');
  for (;;) {
    const s = WSAAccept(listener, null, null, null, 0);
    if (s === INVALID_SOCKET) throw new Error(`code ${WSAGetLastError()}`);
    const place = handles.indexOf(0);
    if (place < 0) {
      closesocket(s);
    } else {
      Atomics.store(handles, place, s);
      CreateIoCompletionPort(s, port, place, 0);
      receive(place);
    }
  }
}

function serve() {
  const [bytes, key, done] = [{ value: 0 }, { value: 0 }, { value: null }];
  for (;;) {
    const isGood = GetQueuedCompletionStatus(port, bytes, key, done, INFINITE);
    if (done.value === null) return;
    if (!isGood || bytes.value === 0) end(key.value);
    else if (done.value.Tag === RECEIVE) send(key.value, bytes.value);
    else receive(key.value);
  }
}

function receive(place) {
  const answer = WSARecv(handles[place], [memory(place)], 1, null, { value: 0 }, record(RECEIVE), null);
  if (!isUnderWay(answer)) end(place);
}

function send(place, length) {
  const answer = WSASend(handles[place], [memory(place).subarray(0, length)], 1, null, 0, record(SEND), null);
  if (!isUnderWay(answer)) end(place);
}

/** What is done at once has its completion in the port as well. */
function isUnderWay(answer) {
  return answer !== SOCKET_ERROR || WSAGetLastError() === WSA_IO_PENDING;
}

function end(place) {
  closesocket(handles[place]);
  Atomics.store(handles, place, 0);
}

function memory(place) {
  return new Uint8Array(buffers, LENGTH * place, LENGTH);
}

function record(Tag) {
  return { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0, Tag };
}

function check(answer) {
  if (answer === SOCKET_ERROR) throw new Error(`code ${WSAGetLastError()}`);
}
