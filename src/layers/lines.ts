/**
 * Lines of text that a layer writes: to the standard error, a file, or a TCP port of the machine. None of them throws, keeps the
 * application alive, or holds it up: a line that cannot be written is dropped.
 */

import { openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { pid } from 'node:process';

/** Writes a line, its end included. @returns whether it was taken */
export type WriteLine = (line: string) => boolean;

/** Bytes that may wait for a reader at a port. */
const WAITING_LIMIT = 1 << 20;
const STDERR = 2;

export function linesToStderr(): WriteLine {
  return linesTo(() => STDERR);
}

/** Adds to a file, which only its owner may read. @param path `%p` in it is the process id */
export function linesToFile(path: string): WriteLine {
  return linesTo(() => openSync(path.replaceAll('%p', String(pid)), 'a', 0o600));
}

/** Sends to whoever listens at that port, over the machine's own network. */
export function linesToPort(host: string, port: number): WriteLine {
  const socket = connect({ host, port });
  socket.on('error', () => socket.destroy());
  socket.unref();
  return (line) => {
    if (socket.destroyed || socket.writableLength > WAITING_LIMIT) return false;
    socket.write(line);
    return true;
  };
}

/** @param open is asked at the first line, and again after one that failed */
function linesTo(open: () => number): WriteLine {
  let descriptor = -1;
  return (line) => {
    try {
      if (descriptor < 0) descriptor = open();
      writeSync(descriptor, line);
      return true;
    } catch {
      return false;
    }
  };
}
