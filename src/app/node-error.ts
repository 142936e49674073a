/**
 * Winsock's failures as Node's own modules report theirs: `code` is 'ECONNREFUSED', the message names call and address.
 */

import { constants } from 'node:os';
import { WSA_OPERATION_ABORTED, wsaErrorName } from '../abi/index.ts';

/** What failed, of a socket or a server. */
export class NodeStyleError extends Error {
  /** `ECONNREFUSED` and the like; Winsock's own name when Node has none. */
  readonly code: string;
  /** Minus the number of this machine's `code`, as in Node; 0 when it has none. */
  readonly errno: number;
  /** `connect`, `read`, `write`, `bind`, … */
  readonly syscall: string;
  /** The WSA code: 10061. 0 when the failure is not Winsock's. */
  readonly wsaCode: number;
  declare readonly address?: string;
  declare readonly port?: number;

  constructor(syscall: string, code: string, wsaCode: number, address?: string, port?: number) {
    const where = address === undefined ? '' : ` ${address}${port === undefined ? '' : `:${port}`}`;
    super(`${syscall} ${code}${where}`);
    this.name = 'Error';
    this.code = code;
    const numbers: Readonly<Record<string, number>> = constants.errno;
    this.errno = -(numbers[code] ?? 0);
    this.syscall = syscall;
    this.wsaCode = wsaCode;
    if (address !== undefined) this.address = address;
    if (port !== undefined) this.port = port;
  }
}

/** The error of a call that answered minus a WSA code. */
export function nodeError(syscall: string, answer: number, address?: string, port?: number): NodeStyleError {
  return new NodeStyleError(syscall, nodeCode(-answer), -answer, address, port);
}

/** `ECONNREFUSED` for WSAECONNREFUSED. */
function nodeCode(wsaCode: number): string {
  if (wsaCode === WSA_OPERATION_ABORTED) return 'ECANCELED';
  const name = wsaErrorName(wsaCode);
  return name.startsWith('WSAE') ? name.slice(3) : name;
}
