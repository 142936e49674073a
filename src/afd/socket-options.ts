/**
 * The values of a socket's options that are not the stack endpoint's own.
 */

import { PROTECTION_LEVEL_DEFAULT, SocketPriorityHintNormal } from '../abi/index.ts';

/** Default of SO_SNDBUF and SO_RCVBUF as they read; the stack sizes its buffers by itself until they are set. */
export const DEFAULT_BUFFER = 65_536;
/** TTL that IP_TTL reads when the stack's default is in force. */
export const DEFAULT_TTL = 128;

/** SYNs that a connect sends again when it is refused: three in all (SEM-CONN-08). */
export const REFUSED_RETRIES = 2;

/** Names as in Winsock; times in the units of their options. */
export class SocketOptions {
  debug = false;
  reuseAddress = false;
  exclusiveAddressUse = false;
  dontRoute = false;
  broadcast = false;
  groupPriority = 0;
  randomizePort = false;
  portScalability = false;
  reuseUnicastPort = false;
  reuseMulticastPort = false;
  protectionLevel = PROTECTION_LEVEL_DEFAULT;
  nonRoutedInterface = 0;
  /** What receives tell beside a message of either family: `ControlWish` bits. */
  controlWishes = 0;
  controlWishesV6 = 0;
  /** SO_LINGER's two members, as given. */
  lingerOn = 0;
  lingerSeconds = 0;
  sendBuffer = DEFAULT_BUFFER;
  receiveBuffer = DEFAULT_BUFFER;
  /** ms; 0 = none. */
  sendTimeout = 0;
  receiveTimeout = 0;
  /** SO_ERROR: set by a connect that failed later, never cleared by reading (SEM-ERR-05). */
  error = 0;
  /** IP_MULTICAST_IF as it was set: an address or an index in network order, read as little-endian. */
  multicastInterface = 0;
  /** ms; -1 = for ever, 0 = the stack decides. */
  maxRetransmitMs = 0;
  /** The reading of the urgent pointer was chosen, and stays (SEM-OOB-01). */
  isUrgentStyleSet = false;
  /** TCP_STDURG and TCP_NOURG: kept; how the pointer is read is TCP_BSDURGENT's business. */
  standardUrgent = false;
  noUrgent = false;
  offloadPreference = 0;
  /** SIO_SET_PRIORITY_HINT. */
  priorityHint = SocketPriorityHintNormal;
  /** TCP_DELAY_FIN_ACK: kept; an ACK of a FIN is never put off. */
  delaysFinAck = false;

  /** What an accepted socket starts with (SEM-ACC-01): all but what is about this socket's own port, state and messages. */
  inherit(): SocketOptions {
    const copy = Object.assign(new SocketOptions(), this);
    copy.error = 0;
    copy.broadcast = false;
    copy.controlWishes = 0;
    copy.controlWishesV6 = 0;
    copy.multicastInterface = 0;
    return copy;
  }
}
