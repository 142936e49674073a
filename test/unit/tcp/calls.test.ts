/** The user's calls in every state (RFC 9293 §3.10.1 to §3.10.6), with the answers that Winsock's users know. */

import { describe, expect, test } from '@jest/globals';
import { StackError } from '../../../src/stack/index.ts';
import { PEER } from '../../support/segment.ts';
import { inState, LATER_STATES, opening } from './states.ts';
import { address, makeTcpHost, PEER_PORT, PORT, type Scripted, scripted } from './support.ts';

const { wouldBlock, notConnected, alreadyConnected, inProgress, shutDown, invalid } = StackError;

/** A socket that does nothing yet, or listens. */
function unused(isListening: boolean): Scripted {
  const host = makeTcpHost();
  const socket = host.stack.openTcp();
  if (isListening) {
    socket.bind(socket.localAddress, PORT);
    socket.listen(1);
  }
  return scripted(host, socket, 0, 0, new Uint8Array(0), 65_535);
}

/** What each call answers in a state, and what it makes the host send: the flags. */
interface Row {
  readonly state: string;
  readonly make: () => Scripted;
  readonly connect: number;
  readonly send: number;
  readonly receive: number;
  readonly close: string;
  readonly abort: string;
}

const made = (name: string): (() => Scripted) => {
  const state = [...LATER_STATES, 'TIME-WAIT' as const].find((each) => each === name);
  if (state === undefined) throw new RangeError(name);
  return () => inState(state);
};

const ROWS: Row[] = (
  [
    ['CLOSED', () => unused(false), 0, notConnected, notConnected, '', ''],
    ['LISTEN', () => unused(true), invalid, notConnected, notConnected, '', ''],
    ['SYN-SENT', () => opening(false), inProgress, notConnected, notConnected, '', ''],
    ['SYN-RECEIVED', () => opening(true), inProgress, wouldBlock, wouldBlock, '', 'R.'],
    ['ESTABLISHED', made('ESTABLISHED'), alreadyConnected, 1, wouldBlock, 'F.', 'R.'],
    ['FIN-WAIT-1', made('FIN-WAIT-1'), alreadyConnected, shutDown, wouldBlock, '', 'R.'],
    ['FIN-WAIT-2', made('FIN-WAIT-2'), alreadyConnected, shutDown, wouldBlock, '', 'R.'],
    ['CLOSE-WAIT', made('CLOSE-WAIT'), alreadyConnected, 1, 0, 'F.', 'R.'],
    ['CLOSING', made('CLOSING'), alreadyConnected, shutDown, 0, '', ''],
    ['LAST-ACK', made('LAST-ACK'), alreadyConnected, shutDown, 0, '', ''],
    ['TIME-WAIT', made('TIME-WAIT'), alreadyConnected, shutDown, 0, '', ''],
  ] as const
).map(([state, make, connect, send, receive, close, abort]) => ({
  state,
  make,
  connect,
  send,
  receive,
  close,
  abort,
}));

const buffer = new Uint8Array(10);
const flags = (c: Scripted): string =>
  c.host
    .out()
    .map((packet) => packet.flags)
    .join(' ');

describe.each(ROWS)('$state', (row) => {
  test('RFC 9293 §3.10.1 OPEN: only an unused socket can be connected', () => {
    const c = row.make();
    expect(c.socket.connect(address(PEER), PEER_PORT)).toBe(row.connect);
    expect(flags(c)).toBe(row.connect === 0 ? 'S' : '');
  });

  test('RFC 9293 §3.10.2, §3.9.1.2 SEND: queues where it may, and says why not elsewhere', () => {
    const c = row.make();
    expect(c.socket.write(buffer, 0, 1)).toBe(row.send);
    expect(flags(c)).toBe(row.send > 0 ? 'P.' : '');
  });

  test('RFC 9293 §3.10.3 RECEIVE: waits while the peer may send, then the stream has ended', () => {
    expect(row.make().socket.read(buffer, 0, 10)).toBe(row.receive);
  });

  test('RFC 9293 §3.10.4 CLOSE: sends FIN once, where there is one to send', () => {
    const c = row.make();
    c.socket.close();
    expect(flags(c)).toBe(row.close);
    c.socket.close();
    expect(flags(c)).toBe('');
  });

  test('RFC 9293 §3.10.5 ABORT: sends RST while there is something to reset', () => {
    const c = row.make();
    c.socket.abort();
    expect(flags(c)).toBe(row.abort);
    expect(c.host.allocator.inUse).toBe(0);
  });

  test('RFC 9293 §3.10.6 STATUS: tells the state and the ports', () => {
    const { socket } = row.make();
    expect(socket.info().state).toBe(row.state);
    expect(socket.localPort).toBe(row.state === 'CLOSED' ? 0 : PORT);
    expect(socket.remotePort).toBe(['CLOSED', 'LISTEN'].includes(row.state) ? 0 : PEER_PORT);
  });
});

describe('calls that wait for the state', () => {
  test('RFC 9293 §3.10.4 a close in SYN-RECEIVED sends FIN once the connection is established', () => {
    const c = opening(true);
    c.socket.close();
    expect(flags(c)).toBe('');
    c.in({ ack: c.ack + 1 });
    expect(flags(c)).toBe('F.');
  });

  test('RFC 9293 §3.10.3 what came before the FIN can still be read, then the end', () => {
    const c = inState('ESTABLISHED');
    c.in({ flags: 'F.', payload: 'abc' });
    expect(c.socket.state).toBe('CLOSE-WAIT');
    expect(c.socket.read(buffer, 0, 10)).toBe(3);
    expect(c.socket.read(buffer, 0, 10)).toBe(0);
  });
});
