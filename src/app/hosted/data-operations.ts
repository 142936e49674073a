/**
 * Sending and receiving through a chain.
 */

import { SOCKADDR_STORAGE_LEN, WSAEFAULT, WSAEMSGSIZE, WSAEWOULDBLOCK } from '../../abi/index.ts';
import { putI32le, u16le } from '../../base/index.ts';
import { AFD_NO_WAIT, AFD_OVERLAPPED } from '../../port/index.ts';
import type { Answer, Ref, WSAMSG, WSAOVERLAPPED } from '../../spi/index.ts';
import type { ChainHost, Operation } from './chain-host.ts';
import type { ChainSocket } from './chain-socket.ts';
import type { Ticket } from './ticket.ts';

/** Bytes before received control data that hold its length. */
const CONTROL_LENGTH_LEN = 4;

/** Whether the call pends whatever the socket's mode. */
export function isOverlapped({ flags }: Ticket): boolean {
  return (flags & (AFD_OVERLAPPED | AFD_NO_WAIT)) === AFD_OVERLAPPED;
}

/** The flags that the application has passed. */
function flagsOf({ flags }: Ticket): number {
  return flags & ~(AFD_OVERLAPPED | AFD_NO_WAIT);
}

/** Makes a call overlapped or not, as the request says. */
function either(
  host: ChainHost,
  ticket: Ticket,
  { handle }: ChainSocket,
  call: (record: WSAOVERLAPPED | null) => Answer,
): Answer {
  return isOverlapped(ticket) ? host.overlapped(ticket, handle, call) : call(null);
}

export const send: Operation = (host, ticket, socket) => {
  const { data, address, a } = ticket;
  if (data === null || a < 0 || a > data.length) return -WSAEFAULT;
  const answer =
    a === 0 ? sendPlain(host, ticket, socket, data, address) : sendMessage(host, ticket, socket, data);
  const finish = (known: number): number => {
    if (known === -WSAEWOULDBLOCK) socket.events.sendBlocked();
    return known;
  };
  return typeof answer === 'number' ? finish(answer) : answer.then(finish);
};

function sendPlain(
  host: ChainHost,
  ticket: Ticket,
  socket: ChainSocket,
  data: Uint8Array,
  to: Uint8Array | null,
): Answer {
  const { table, handle, isStream } = socket;
  const flags = flagsOf(ticket);
  return either(host, ticket, socket, (record) =>
    to === null || isStream
      ? table.WSPSend(handle, [data], 1, flags, record, null, ticket.thread)
      : table.WSPSendTo(handle, [data], 1, flags, to, to.length, record, null, ticket.thread),
  );
}

/** With control data at its start. */
function sendMessage(host: ChainHost, ticket: Ticket, socket: ChainSocket, data: Uint8Array): Answer {
  const { address, a } = ticket;
  const message: WSAMSG = {
    name: address,
    namelen: address?.length ?? 0,
    lpBuffers: [data.subarray(a)],
    dwBufferCount: 1,
    Control: data.subarray(0, a),
    dwFlags: 0,
  };
  return either(host, ticket, socket, (record) => {
    const count: Ref = { value: 0 };
    return counted(host.winsock.WSASendMsg(socket.handle, message, flagsOf(ticket), count, record), count);
  });
}

export const recv: Operation = (host, ticket, socket) => {
  const { into, a } = ticket;
  if (into === null || a < 0 || a > into.length || (a > 0 && a < CONTROL_LENGTH_LEN)) return -WSAEFAULT;
  return a === 0 ? receive(host, ticket, socket, into) : receiveMessage(host, ticket, socket, into);
};

function receive(host: ChainHost, ticket: Ticket, socket: ChainSocket, into: Uint8Array): Answer {
  const { table, handle, isStream } = socket;
  const flags: Ref = { value: flagsOf(ticket) };
  const from = isStream ? null : new Uint8Array(SOCKADDR_STORAGE_LEN);
  const length: Ref = { value: SOCKADDR_STORAGE_LEN };
  const answer = either(host, ticket, socket, (record) => {
    const begun = isStream
      ? table.WSPRecv(handle, [into], 1, flags, record, null, ticket.thread)
      : table.WSPRecvFrom(handle, [into], 1, flags, from, length, record, null, ticket.thread);
    return finished(begun, (known) => {
      // Of a call that pends they are in its record.
      if (known >= 0 || known === -WSAEMSGSIZE) ticket.outFlags = flags.value;
      if (known === -WSAEMSGSIZE) ticket.failedValue = into.length;
      return known;
    });
  });
  return finished(answer, (known) => {
    if (from !== null && (known >= 0 || known === -WSAEMSGSIZE))
      ticket.outAddress = nameIn(from, length.value);
    return known;
  });
}

/** With control data in front. */
function receiveMessage(host: ChainHost, ticket: Ticket, socket: ChainSocket, into: Uint8Array): Answer {
  const { a } = ticket;
  const name = new Uint8Array(SOCKADDR_STORAGE_LEN);
  const control = into.subarray(CONTROL_LENGTH_LEN, a);
  const message: WSAMSG = {
    name,
    namelen: name.length,
    lpBuffers: [into.subarray(a)],
    dwBufferCount: 1,
    Control: control,
    dwFlags: flagsOf(ticket),
  };
  const answer = either(host, ticket, socket, (record) => {
    const count: Ref = { value: 0 };
    const begun = counted(host.winsock.WSARecvMsg(socket.handle, message, count, record), count);
    return finished(begun, (known) => {
      if (known === -WSAEMSGSIZE) ticket.failedValue = into.length - a;
      return known;
    });
  });
  return finished(answer, (known) => {
    if (known < 0 && known !== -WSAEMSGSIZE) return known;
    const length = Math.min(message.ControlLength ?? 0, control.length);
    putI32le(into, 0, length);
    control.fill(0, length);
    ticket.outFlags = message.dwFlags;
    ticket.outAddress = nameIn(name, message.namelen);
    return known;
  });
}

/** The sockaddr that a call has written; `null` when it wrote none. */
function nameIn(room: Uint8Array, length: number): Uint8Array | null {
  return u16le(room, 0) === 0 ? null : room.subarray(0, Math.min(Math.max(length, 0), room.length));
}

/** A call that writes a byte count and answers 0 or TRUE, as one that answers the count. */
export function counted(answer: Answer, count: Ref): Answer {
  return finished(answer, (known) => (known < 0 ? known : count.value));
}

export function finished(answer: Answer, finish: (known: number) => number): Answer {
  return typeof answer === 'number' ? finish(answer) : answer.then(finish);
}
