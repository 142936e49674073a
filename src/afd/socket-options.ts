/**
 * The values of a socket's options that are not the stack endpoint's own.
 */

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
  /** What receives tell beside a message: `ControlWish` bits. */
  controlWishes = 0;
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

  /** What an accepted socket starts with (SEM-ACC-01). */
  inherit(): SocketOptions {
    const copy = new SocketOptions();
    copy.debug = this.debug;
    copy.reuseAddress = this.reuseAddress;
    copy.exclusiveAddressUse = this.exclusiveAddressUse;
    copy.dontRoute = this.dontRoute;
    copy.lingerOn = this.lingerOn;
    copy.lingerSeconds = this.lingerSeconds;
    copy.sendBuffer = this.sendBuffer;
    copy.receiveBuffer = this.receiveBuffer;
    copy.sendTimeout = this.sendTimeout;
    copy.receiveTimeout = this.receiveTimeout;
    copy.maxRetransmitMs = this.maxRetransmitMs;
    copy.isUrgentStyleSet = this.isUrgentStyleSet;
    return copy;
  }
}
