/**
 * The system calls that a catalog on disk is written with, one by one: a test ends the process between any two of them.
 */

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { geteuid } from 'node:process';

export interface FileCalls {
  makeDirectory(path: string): void;
  list(directory: string): string[];
  /** Opens a file that must not be there yet. */
  create(path: string): number;
  openForAppend(path: string): number;
  openDirectory(path: string): number;
  write(fd: number, text: string): void;
  /** Its bytes are on the disk when this returns; of a directory, its names. */
  sync(fd: number): void;
  close(fd: number): void;
  /** Gives a file a second name. Throws EEXIST when somebody has that name: of many who try, one succeeds. */
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /**
   * The text of a plain file of at most `most` bytes that nobody but its owner, who is trusted, may write.
   * @throws {Error} that says why not
   */
  read(path: string, most: number): string;
}

const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;
const WRITABLE_BY_OTHERS = 0o022;
const PLAIN_FILE = 0o100000;
const FILE_KIND = 0o170000;

/** @param owners users, besides root and the process's own, whose files are believed */
export function nodeFileCalls(owners: readonly number[] = []): FileCalls {
  const trusted = new Set([0, geteuid?.() ?? 0, ...owners]);
  return {
    makeDirectory: (path) => void mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE }),
    list: (directory) => readdirSync(directory),
    create: (path) => openSync(path, 'wx', FILE_MODE),
    openForAppend: (path) => openSync(path, 'a', FILE_MODE),
    openDirectory: (path) => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY),
    write(fd, text) {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    },
    sync: (fd) => fsyncSync(fd),
    close: (fd) => closeSync(fd),
    link: (from, to) => linkSync(from, to),
    rename: (from, to) => renameSync(from, to),
    remove: (path) => unlinkSync(path),
    read(path, most) {
      // Without O_NONBLOCK a pipe in the file's place would hold us.
      const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const { mode, size, uid } = fstatSync(fd);
        if ((mode & FILE_KIND) !== PLAIN_FILE) throw new Error('it is no plain file');
        if ((mode & WRITABLE_BY_OTHERS) !== 0) throw new Error('others than its owner may write it');
        if (!trusted.has(uid)) throw new Error(`it belongs to the user ${uid}`);
        if (size > most) throw new Error(`it is longer than ${most} bytes`);
        return readFileSync(fd, 'utf8');
      } finally {
        closeSync(fd);
      }
    },
  };
}
