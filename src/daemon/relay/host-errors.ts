/** What the host's sockets say, in words and in the control API's codes. */

import { RequestError } from '../request-error.ts';

/** A forward that cannot be made as it was asked for. */
export class ForwardError extends RequestError {
  override readonly name = 'ForwardError';
}

/** Why the host did not let us listen at `place`, with what to do. */
export function listenError(error: unknown, place: string): ForwardError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return new ForwardError(409, 'addressInUse', `host port ${place} is taken; name another, or port 0`);
    case 'EADDRNOTAVAIL':
      return new ForwardError(400, 'badRequest', `the host has no address ${place}`);
    case 'EACCES':
    case 'EPERM':
      return new ForwardError(
        403,
        'notPermitted',
        `the daemon's user may not listen at host port ${place}: ports below 1024 need a right that it has given up`,
      );
    case 'EAFNOSUPPORT':
      return new ForwardError(400, 'badRequest', `the host does not run the family of ${place}`);
    default:
      return new ForwardError(409, code || 'failed', `cannot listen at host port ${place}: ${message}`);
  }
}

/** Why the host could not connect, in a few words. */
export function connectErrorText(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return CONNECT_TEXT[code] ?? message;
}

const CONNECT_TEXT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'timed out',
  ECONNRESET: 'connection reset',
  EMFILE: 'the daemon has too many open files',
  ENFILE: 'the machine has too many open files',
};
