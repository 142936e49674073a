/**
 * Socket options of scripts.
 */

import { CONSTANTS, fieldOf, numberOf, requiredNumber } from './arguments.ts';
import type { Expression } from './ast.ts';
import { ERRNO_NUMBERS, errnoOf } from './errno.ts';
import type { CallResult, ScriptSocket, StreamSocket } from './socket.ts';

interface Option {
  get(): number;
  set(value: number): void;
}

/** `setsockopt(fd, level, name, [value], length)` */
export function setOption(socket: ScriptSocket, args: readonly Expression[]): CallResult {
  const level = requiredNumber(args[1], 'a level');
  const name = requiredNumber(args[2], 'the name of an option');
  if (level === CONSTANTS['SOL_SOCKET'] && name === CONSTANTS['SO_LINGER']) return setLinger(socket, args[3]);
  const option = optionOf(socket, level, name);
  if (option === null) return UNKNOWN;
  option.set(requiredNumber(args[3], 'a value'));
  return { value: 0, errno: null };
}

/** `getsockopt(fd, level, name, [value], [length])`: the value that the script gives is the one expected. */
export function getOption(socket: ScriptSocket, args: readonly Expression[]): CallResult {
  const option = optionOf(socket, requiredNumber(args[1], 'a level'), requiredNumber(args[2], 'a name'));
  if (option === null) return UNKNOWN;
  const actual = option.get();
  const expected = numberOf(args[3]);
  if (expected === null || expected === actual) return { value: 0, errno: null };
  return { value: 0, errno: null, complaint: `the option's value is ${actual}` };
}

const UNKNOWN: CallResult = { value: -1, errno: 'ENOPROTOOPT' };

function setLinger(socket: ScriptSocket, value: Expression | undefined): CallResult {
  const isOn = requiredNumber(fieldOf(value, 'onoff'), 'onoff') !== 0;
  const seconds = requiredNumber(fieldOf(value, 'linger'), 'linger');
  if (socket.kind === 'tcp') socket.isAbortive = isOn && seconds === 0;
  return { value: 0, errno: null };
}

function optionOf(socket: ScriptSocket, level: number, name: number): Option | null {
  switch (level) {
    case CONSTANTS['SOL_SOCKET']:
      return socketOption(socket, name);
    case CONSTANTS['SOL_IP']:
      return ipOption(socket, name);
    case CONSTANTS['SOL_TCP']:
      return socket.kind === 'tcp' ? tcpOption(socket, name) : null;
    default:
      return null;
  }
}

function socketOption(socket: ScriptSocket, name: number): Option | null {
  const { endpoint } = socket;
  switch (name) {
    case CONSTANTS['SO_REUSEADDR']:
      return flag(
        () => socket.isReusing,
        (isOn) => {
          socket.isReusing = isOn;
        },
      );
    case CONSTANTS['SO_ERROR']:
      return { get: () => takeError(socket), set: () => {} };
    case CONSTANTS['SO_SNDBUF']:
      return number(
        () => endpoint.sendBufferSize,
        (value) => {
          endpoint.sendBufferSize = value;
        },
      );
    case CONSTANTS['SO_RCVBUF']:
      return number(
        () => endpoint.receiveBufferSize,
        (value) => {
          endpoint.receiveBufferSize = value;
        },
      );
    case CONSTANTS['SO_KEEPALIVE']:
      return endpoint.kind !== 'tcp'
        ? null
        : flag(
            () => endpoint.keepAlive,
            (isOn) => {
              endpoint.keepAlive = isOn;
            },
          );
    case CONSTANTS['SO_OOBINLINE']:
      return endpoint.kind !== 'tcp'
        ? null
        : flag(
            () => endpoint.urgentInline,
            (isOn) => {
              endpoint.urgentInline = isOn;
            },
          );
    case CONSTANTS['SO_BROADCAST']:
      return endpoint.kind !== 'udp'
        ? null
        : flag(
            () => endpoint.broadcast,
            (isOn) => {
              endpoint.broadcast = isOn;
            },
          );
    default:
      return null;
  }
}

function ipOption({ endpoint }: ScriptSocket, name: number): Option | null {
  if (name === CONSTANTS['IP_TTL']) {
    return number(
      () => endpoint.ttl,
      (value) => {
        endpoint.ttl = value;
      },
    );
  }
  if (name !== CONSTANTS['IP_TOS']) return null;
  return number(
    () => endpoint.trafficClass,
    (value) => {
      endpoint.trafficClass = value;
    },
  );
}

function tcpOption({ endpoint }: StreamSocket, name: number): Option | null {
  switch (name) {
    case CONSTANTS['TCP_NODELAY']:
      return flag(
        () => endpoint.noDelay,
        (isOn) => {
          endpoint.noDelay = isOn;
        },
      );
    // Linux counts seconds here, and milliseconds for the user timeout.
    case CONSTANTS['TCP_KEEPIDLE']:
      return number(
        () => endpoint.keepAliveTime / 1000,
        (value) => {
          endpoint.keepAliveTime = value * 1000;
        },
      );
    case CONSTANTS['TCP_KEEPINTVL']:
      return number(
        () => endpoint.keepAliveInterval / 1000,
        (value) => {
          endpoint.keepAliveInterval = value * 1000;
        },
      );
    case CONSTANTS['TCP_KEEPCNT']:
      return number(
        () => endpoint.keepAliveCount,
        (value) => {
          endpoint.keepAliveCount = value;
        },
      );
    case CONSTANTS['TCP_USER_TIMEOUT']:
      return number(
        () => endpoint.userTimeout,
        (value) => {
          endpoint.userTimeout = value;
        },
      );
    default:
      return null;
  }
}

function flag(get: () => boolean, set: (isOn: boolean) => void): Option {
  return { get: () => (get() ? 1 : 0), set: (value) => set(value !== 0) };
}

function number(get: () => number, set: (value: number) => void): Option {
  return { get, set };
}

/** SO_ERROR: told once, and then 0. */
function takeError(socket: ScriptSocket): number {
  const error = socket.kind === 'tcp' ? socket.endpoint.error : socket.endpoint.pendingError;
  if (error === 0 || (socket.kind === 'tcp' && socket.isErrorTold)) return 0;
  if (socket.kind === 'tcp') socket.isErrorTold = true;
  return ERRNO_NUMBERS[errnoOf(error)] ?? 0;
}
