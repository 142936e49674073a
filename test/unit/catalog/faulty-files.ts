/**
 * The system calls of a catalog on disk over a folder in memory, in which a test can do between any two calls what a disk, another process
 * or a power cut does.
 */

import type { FileCalls } from '../../../src/catalog/disk/file-calls.ts';

/** The process is gone: nothing that it would do afterwards happens. */
export class Killed extends Error {}

/** An error as the system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** A file's bytes, and as many of them as are on the disk. */
interface Inode {
  text: string;
  synced: string;
}

/** What a power cut takes: names since the directory was synced, bytes since the file was, or both. */
export type Loss = 'names' | 'bytes' | 'both';

/** A folder. Paths are told apart by their last part. */
export class MemoryFolder implements FileCalls {
  #names = new Map<string, Inode>();
  #syncedNames = new Map<string, Inode>();
  readonly #open = new Map<number, Inode | null>();
  #lastFd = 100;

  /** Another one with the same files, all on its disk. */
  copy(): MemoryFolder {
    const copy = new MemoryFolder();
    for (const [name, { text }] of this.#names) copy.#names.set(name, { text, synced: text });
    copy.#syncedNames = new Map(copy.#names);
    return copy;
  }

  makeDirectory(): void {}

  list(): string[] {
    return [...this.#names.keys()];
  }

  create(path: string): number {
    const name = nameOf(path);
    if (this.#names.has(name)) throw systemError('EEXIST');
    const inode = { text: '', synced: '' };
    this.#names.set(name, inode);
    return this.#opened(inode);
  }

  openForAppend(path: string): number {
    const name = nameOf(path);
    const inode = this.#names.get(name) ?? { text: '', synced: '' };
    this.#names.set(name, inode);
    return this.#opened(inode);
  }

  openDirectory(): number {
    return this.#opened(null);
  }

  write(fd: number, text: string): void {
    const inode = this.#open.get(fd);
    if (inode === null || inode === undefined) throw systemError('EBADF');
    inode.text += text;
  }

  sync(fd: number): void {
    const inode = this.#open.get(fd);
    if (inode === undefined) throw systemError('EBADF');
    if (inode === null) this.#syncedNames = new Map(this.#names);
    else inode.synced = inode.text;
  }

  close(fd: number): void {
    this.#open.delete(fd);
  }

  link(from: string, to: string): void {
    const inode = this.#names.get(nameOf(from));
    if (inode === undefined) throw systemError('ENOENT');
    if (this.#names.has(nameOf(to))) throw systemError('EEXIST');
    this.#names.set(nameOf(to), inode);
  }

  rename(from: string, to: string): void {
    const inode = this.#names.get(nameOf(from));
    if (inode === undefined) throw systemError('ENOENT');
    this.#names.delete(nameOf(from));
    this.#names.set(nameOf(to), inode);
  }

  remove(path: string): void {
    if (!this.#names.delete(nameOf(path))) throw systemError('ENOENT');
  }

  read(path: string): string {
    const inode = this.#names.get(nameOf(path));
    if (inode === undefined) throw systemError('ENOENT');
    return inode.text;
  }

  cutPower(loss: Loss): void {
    if (loss !== 'bytes') this.#names = new Map(this.#syncedNames);
    for (const inode of this.#names.values()) {
      if (loss === 'names') inode.synced = inode.text;
      else inode.text = inode.synced;
    }
    this.#syncedNames = new Map(this.#names);
    this.#open.clear();
  }

  #opened(inode: Inode | null): number {
    this.#open.set(++this.#lastFd, inode);
    return this.#lastFd;
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A system call that changes something. */
export interface Step {
  /** From 0, in the order of the calls. */
  readonly number: number;
  readonly call: keyof FileCalls;
  /** Of a write, does the first half of it. */
  half(): void;
}

/** Calls that the test hears of before they are made. @param before may throw in their place */
export function stepped(files: FileCalls, before: (step: Step) => void): FileCalls {
  let number = 0;
  let isDead = false;
  const guarded = <Args extends unknown[], Result>(
    call: keyof FileCalls,
    make: (...args: Args) => Result,
    half: (...args: Args) => void = () => {},
  ) => {
    return (...args: Args): Result => {
      if (isDead) throw new Killed();
      try {
        before({ number: number++, call, half: () => half(...args) });
      } catch (error) {
        isDead = error instanceof Killed;
        throw error;
      }
      return make(...args);
    };
  };
  const alive =
    <Args extends unknown[], Result>(make: (...args: Args) => Result) =>
    (...args: Args): Result => {
      if (isDead) throw new Killed();
      return make(...args);
    };
  return {
    list: alive((directory) => files.list(directory)),
    read: alive((path, most) => files.read(path, most)),
    makeDirectory: guarded('makeDirectory', (path) => files.makeDirectory(path)),
    create: guarded('create', (path) => files.create(path)),
    openForAppend: guarded('openForAppend', (path) => files.openForAppend(path)),
    openDirectory: guarded('openDirectory', (path) => files.openDirectory(path)),
    write: guarded(
      'write',
      (fd: number, text: string) => files.write(fd, text),
      (fd, text) => files.write(fd, text.slice(0, text.length / 2)),
    ),
    sync: guarded('sync', (fd) => files.sync(fd)),
    // The kernel closes what a dead process had open.
    close: (fd) => files.close(fd),
    link: guarded('link', (from, to) => files.link(from, to)),
    rename: guarded('rename', (from, to) => files.rename(from, to)),
    remove: guarded('remove', (path) => files.remove(path)),
  };
}
