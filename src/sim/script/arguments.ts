/**
 * Arguments of calls in scripts: from what is written to numbers and addresses.
 */

import { IpAddress } from '../../base/index.ts';
import type { Expression } from './ast.ts';
import { ERRNO_NUMBERS } from './errno.ts';

/** A script names something that its language does not have. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

/** A name of the kernel's interface that there is nothing for. */
export class UnknownNameError extends ArgumentError {}

/** Linux's numbers of the constants that scripts use. */
export const CONSTANTS: Readonly<Record<string, number>> = {
  ...ERRNO_NUMBERS,
  AF_INET: 2,
  PF_INET: 2,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  IPPROTO_IP: 0,
  IPPROTO_ICMP: 1,
  IPPROTO_TCP: 6,
  IPPROTO_UDP: 17,
  SOL_IP: 0,
  SOL_SOCKET: 1,
  SOL_TCP: 6,
  F_GETFD: 1,
  F_SETFD: 2,
  F_GETFL: 3,
  F_SETFL: 4,
  FD_CLOEXEC: 1,
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_NONBLOCK: 0o4000,
  SHUT_RD: 0,
  SHUT_WR: 1,
  SHUT_RDWR: 2,
  POLLIN: 0x1,
  POLLPRI: 0x2,
  POLLOUT: 0x4,
  POLLERR: 0x8,
  POLLHUP: 0x10,
  POLLNVAL: 0x20,
  POLLRDNORM: 0x40,
  POLLWRNORM: 0x100,
  POLLRDHUP: 0x2000,
  MSG_OOB: 0x1,
  MSG_PEEK: 0x2,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  SO_REUSEADDR: 2,
  SO_ERROR: 4,
  SO_BROADCAST: 6,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_KEEPALIVE: 9,
  SO_OOBINLINE: 10,
  SO_LINGER: 13,
  TCP_NODELAY: 1,
  TCP_MAXSEG: 2,
  TCP_KEEPIDLE: 4,
  TCP_KEEPINTVL: 5,
  TCP_KEEPCNT: 6,
  TCP_USER_TIMEOUT: 18,
  IP_TOS: 1,
  IP_TTL: 2,
  FIONREAD: 0x541b,
  SIOCINQ: 0x541b,
  SIOCOUTQ: 0x5411,
};

/** The number of an expression; `null` for `...`. @throws {ArgumentError} */
export function numberOf(expression: Expression | undefined): number | null {
  switch (expression?.kind) {
    case 'number':
      return expression.value;
    case 'word': {
      const value = CONSTANTS[expression.name];
      if (value === undefined) throw new UnknownNameError(`${expression.name} is not known`);
      return value;
    }
    case 'or':
      return expression.parts.reduce((bits, part) => bits | requiredNumber(part, 'a constant'), 0);
    case 'array':
      return expression.items.length === 0 ? null : numberOf(expression.items[0]);
    case 'call':
      // htons() and its like: numbers are the host's throughout.
      return numberOf(expression.args[0]);
    default:
      return null;
  }
}

/** As {@link numberOf}, where there must be one. @throws {ArgumentError} */
export function requiredNumber(expression: Expression | undefined, what: string): number {
  const number = numberOf(expression);
  if (number === null) throw new ArgumentError(`${what} is missing`);
  return number;
}

/** The field `name` of a structure, or `undefined`. */
export function fieldOf(expression: Expression | undefined, name: string): Expression | undefined {
  if (expression?.kind !== 'struct') return undefined;
  return expression.fields.find((field) => field.name === name)?.value;
}

/** Address and port of `{sa_family=…, sin_port=htons(…), sin_addr=inet_addr("…")}`; `null` for `...`. @throws {ArgumentError} */
export function addressOf(
  expression: Expression | undefined,
): { readonly address: IpAddress; readonly port: number } | null {
  if (expression?.kind !== 'struct') return null;
  const text = fieldOf(expression, 'sin_addr');
  const argument = text?.kind === 'call' ? text.args[0] : text;
  const address =
    argument?.kind === 'string'
      ? IpAddress.parse(argument.text)
      : argument?.kind === 'word' && argument.name === 'INADDR_ANY'
        ? IpAddress.anyV4
        : null;
  if (address === null) throw new ArgumentError('sin_addr is no IPv4 address');
  return { address, port: requiredNumber(fieldOf(expression, 'sin_port'), 'sin_port') };
}

/** A value in the script's syntax, for messages. */
export function formatExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'any':
      return '...';
    case 'number':
      return String(expression.value);
    case 'word':
      return expression.name;
    case 'string':
      return `"${expression.text}"${expression.isPrefix ? '...' : ''}`;
    case 'or':
      return expression.parts.map(formatExpression).join('|');
    case 'array':
      return `[${expression.items.map(formatExpression).join(', ')}]`;
    case 'call':
      return `${expression.name}(${expression.args.map(formatExpression).join(', ')})`;
    case 'struct':
      return `{${expression.fields
        .map(({ name, value }) => (name === null ? '' : `${name}=`) + formatExpression(value))
        .join(', ')}}`;
  }
}
