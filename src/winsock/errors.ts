/**
 * Winsock's failures as an exception, for the faces that reject or throw.
 */

import { wsaErrorMessage, wsaErrorName } from '../abi/index.ts';

/** A call that failed: `code` is the WSA code, `name` Microsoft's name of it, `message` what went wrong and what to do. */
export class WinsockError extends Error {
  override readonly name: string;
  /** What WSAGetLastError would give: 10035 is WSAEWOULDBLOCK. */
  readonly code: number;
  /** The Winsock function that failed. */
  readonly syscall: string;

  /** @param answer a failed call's answer: minus the WSA code */
  constructor(syscall: string, answer: number) {
    const code = -answer;
    super(`${syscall}: ${wsaErrorMessage(code)}`);
    this.name = wsaErrorName(code);
    this.code = code;
    this.syscall = syscall;
  }
}
