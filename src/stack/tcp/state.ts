/**
 * The states of a connection, RFC 9293 §3.3.2, spelled as the RFC prints them.
 */

export type TcpState =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT';

/** All of them, in the order in which events and figures number them. */
export const TCP_STATES: readonly TcpState[] = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];

/** States in which both sides know each other's sequence numbers (RFC 9293 §3.3.2). */
export function isSynchronized(state: TcpState): boolean {
  return state !== 'CLOSED' && state !== 'LISTEN' && state !== 'SYN-SENT' && state !== 'SYN-RECEIVED';
}

/** States in which the peer may still send text (RFC 9293 §3.10.7.4, seventh). */
export function isReceiving(state: TcpState): boolean {
  return state === 'ESTABLISHED' || state === 'FIN-WAIT-1' || state === 'FIN-WAIT-2';
}

/** States in which text or FIN may still have to leave: the FIN is not acknowledged. */
export function mayTransmit(state: TcpState): boolean {
  return isSending(state) || state === 'FIN-WAIT-1' || state === 'CLOSING' || state === 'LAST-ACK';
}

/** States in which the user may still queue text. */
export function isSending(state: TcpState): boolean {
  return state === 'ESTABLISHED' || state === 'CLOSE-WAIT';
}
