/**
 * States in a folder. There is no lock to be left behind: the state after number 12 is the file of number 13, and of all who make it one
 * succeeds.
 *
 *     write a temporary file → fsync it → link it to the next number's name → fsync the folder → remove the temporary name
 *     → add lines to the audit trail → remove states that are too old
 *
 * A process that ends anywhere in between leaves the old state or the new one, whole, and a temporary file that the next writer removes.
 * The link fails with EEXIST where a lock would wait. Earlier states are the backups, {@link STATES_KEPT} of them.
 */

import { watch } from 'node:fs';
import { join } from 'node:path';
import { kill, pid } from 'node:process';
import { NO_ERROR } from '../../abi/index.ts';
import type { CatalogRecord, SkippedPart } from '../../port/index.ts';
import { type CatalogFault, faultCode } from '../faults.ts';
import type { KeptState, StateJournal } from '../keeper.ts';
import { STATES_KEPT } from '../memory-journal.ts';
import { type CatalogDefaults, type CatalogState, freshState } from '../state.ts';
import { AuditFile } from './audit-file.ts';
import { type FileCalls, nodeFileCalls } from './file-calls.ts';
import {
  MAX_FILE_BYTES,
  NewerFormat,
  readStateFile,
  type StateFile,
  serialOf,
  stateFileName,
  stateFileText,
} from './state-file.ts';

export interface DiskJournalOptions {
  /** Made when it is not there. */
  readonly directory: string;
  readonly defaults: CatalogDefaults;
  /** Text that nobody else comes up with. */
  newMark(): string;
  readonly files?: FileCalls;
}

/** How often a file that is listed and not there is looked for. */
const LOOKS = 8;
const TEMPORARY = /^\.new-(\d+)-/;

export class DiskJournal implements StateJournal {
  readonly #options: DiskJournalOptions;
  readonly #files: FileCalls;
  readonly #audit: AuditFile;
  /** The file that was read last, and what was in it. */
  #newest: KeptState | null = null;
  #read = '';

  constructor(options: DiskJournalOptions) {
    this.#options = options;
    this.#files = options.files ?? nodeFileCalls();
    this.#audit = new AuditFile(this.#files, options.directory);
  }

  /** The state of the highest number that can be read; what can't is named. */
  newest(): KeptState {
    for (let look = 1; ; look++) {
      const serials = this.#serials();
      const names = serials.join();
      if (this.#newest !== null && names === this.#read) return this.#newest;
      const kept = this.#find(serials, look === LOOKS);
      // Another writer removed an old state while we read: look again.
      if (kept === null) continue;
      this.#newest = kept;
      this.#read = names;
      return kept;
    }
  }

  at(serial: number): CatalogState | null {
    if (serial === 0) return freshState(this.#options.defaults);
    const file = this.#file(serial);
    return typeof file === 'string' || file instanceof NewerFormat ? null : file.state;
  }

  add(state: CatalogState, made: CatalogRecord): number | 'late' {
    const { directory, newMark } = this.#options;
    const files = this.#files;
    const mark = newMark();
    const temporary = join(directory, `.new-${pid}-${mark}`);
    const final = join(directory, stateFileName(made.serial));
    let isOurs = false;
    try {
      files.makeDirectory(directory);
      this.#removeLeftovers();
      const fd = files.create(temporary);
      try {
        files.write(fd, stateFileText(state, made, mark));
        files.sync(fd);
      } finally {
        files.close(fd);
      }
      files.link(temporary, final);
      isOurs = this.#isFirst(made.serial, mark);
      if (!isOurs) files.remove(final);
      this.#syncDirectory();
      files.remove(temporary);
    } catch (error) {
      // Once the state has its name, it is made: what follows is tidying.
      if (!isOurs) {
        this.#tryRemove(temporary);
        const fault = faultOf(error);
        return fault === 'late' ? fault : faultCode(made.kind, fault);
      }
    }
    if (!isOurs) return 'late';
    this.#tidy(newMark());
    return NO_ERROR;
  }

  records(): readonly CatalogRecord[] {
    const serials = new Set(this.#serials());
    const records = new Map([...this.#audit.read()].map(([serial, { record }]) => [serial, record]));
    for (const serial of serials) {
      if (records.has(serial)) continue;
      const file = this.#file(serial);
      if (typeof file !== 'string' && !(file instanceof NewerFormat)) records.set(serial, file.made);
    }
    return [...records.values()]
      .sort((a, b) => b.serial - a.serial)
      .map((record) => ({ ...record, isKept: serials.has(record.serial) }));
  }

  watch(tell: () => void): () => void {
    try {
      this.#files.makeDirectory(this.#options.directory);
      const watcher = watch(this.#options.directory, { persistent: false }, (_, name) => {
        if (name === null || serialOf(`${name}`) !== null) tell();
      });
      watcher.on('error', () => watcher.close());
      return () => watcher.close();
    } catch {
      // A folder that can't be watched can still be read, and tells of this process's own changes.
      return () => {};
    }
  }

  close(): void {
    this.#newest = null;
  }

  /** Numbers of the states that are there, ascending. */
  #serials(): number[] {
    let names: string[];
    try {
      names = this.#files.list(this.#options.directory);
    } catch {
      return [];
    }
    const serials = names.map(serialOf).filter((serial): serial is number => serial !== null);
    return serials.sort((a, b) => a - b);
  }

  /** @returns `null` when a file that was listed is gone, unless this is the last look */
  #find(serials: readonly number[], isLast: boolean): KeptState | null {
    const { defaults } = this.#options;
    const highest = serials[serials.length - 1] ?? 0;
    const skipped: SkippedPart[] = [];
    for (const serial of [...serials].reverse()) {
      const file = this.#file(serial);
      if (file === '' && !isLast) return null;
      const what = stateFileName(serial);
      if (file instanceof NewerFormat) {
        const why = [{ what, why: file.why }];
        return { serial: highest, state: freshState(defaults), skipped: why, isWritable: false };
      }
      if (typeof file !== 'string') {
        const { state } = file;
        return { serial: highest, state, skipped: [...skipped, ...file.skipped], isWritable: true };
      }
      skipped.push({ what, why: file === '' ? 'it is not there' : file });
    }
    return { serial: highest, state: freshState(defaults), skipped, isWritable: true };
  }

  /** @returns why it can't be used; the empty string when there is none */
  #file(serial: number): StateFile | NewerFormat | string {
    const { directory, defaults } = this.#options;
    try {
      const text = this.#files.read(join(directory, stateFileName(serial)), MAX_FILE_BYTES);
      return readStateFile(text, serial, defaults);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? '' : (error as Error).message;
    }
  }

  /**
   * Whether the file that was just linked is the first of its number. Its number may have been taken and, many changes later, removed as
   * too old: old states go in ascending order and not before they are in the audit trail, so the state before ours is gone then, and
   * the trail has our number with another mark.
   */
  #isFirst(serial: number, mark: string): boolean {
    const serials = this.#serials();
    if (serials.includes(serial - 1) || (serials[serials.length - 1] ?? 0) <= serial) return true;
    const line = this.#audit.read().get(serial);
    return line === undefined || line.mark === mark;
  }

  /** The trail is brought up to the states, then what is too old goes. None of it matters to the change that was made. */
  #tidy(mark: string): void {
    const { directory } = this.#options;
    const files = this.#files;
    try {
      const known = this.#audit.read();
      const serials = this.#serials();
      const added = serials.flatMap((serial) => {
        const file = known.has(serial) ? '' : this.#file(serial);
        if (typeof file === 'string' || file instanceof NewerFormat) return [];
        return { record: file.made, mark: file.mark };
      });
      this.#audit.add(added, join(directory, `.new-${pid}-${mark}`));
      for (const serial of serials.slice(0, -STATES_KEPT))
        files.remove(join(directory, stateFileName(serial)));
      this.#syncDirectory();
    } catch {
      // The next change does it.
    }
  }

  #syncDirectory(): void {
    const files = this.#files;
    const fd = files.openDirectory(this.#options.directory);
    try {
      files.sync(fd);
    } finally {
      files.close(fd);
    }
  }

  /** Temporary files of processes that are no more. */
  #removeLeftovers(): void {
    const { directory } = this.#options;
    for (const name of this.#files.list(directory)) {
      const owner = Number(TEMPORARY.exec(name)?.[1] ?? 0);
      if (owner !== 0 && owner !== pid && !isAlive(owner)) this.#tryRemove(join(directory, name));
    }
  }

  #tryRemove(path: string): void {
    try {
      this.#files.remove(path);
    } catch {
      // Somebody else did, or will.
    }
  }
}

function isAlive(owner: number): boolean {
  try {
    kill(owner, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function faultOf(error: unknown): CatalogFault | 'late' {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EEXIST':
      return 'late';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'forbidden';
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
    case 'ENOMEM':
      return 'full';
    default:
      return 'failed';
  }
}
