/**
 * The recordings that a replay has, and which of them serves the next connection.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseRecording, type Recording, RecordingError, type Role } from '../record/index.ts';

/** Bytes of one file that is read. */
const MOST_BYTES = 256 << 20;
const EXTENSION = '.wsrec';

export class RecordingLibrary {
  /** By role and the place that the application reaches or serves. */
  readonly #byPlace = new Map<string, { readonly recordings: Recording[]; next: number }>();

  constructor(recordings: readonly Recording[]) {
    for (const recording of recordings) {
      const key = keyOf(recording.role, placeOf(recording));
      const known = this.#byPlace.get(key) ?? { recordings: [], next: 0 };
      known.recordings.push(recording);
      this.#byPlace.set(key, known);
    }
  }

  /** The next recording of a place, in the order of their names, and from the first again after the last; `null`: there is none. */
  take(role: Role, place: string): Recording | null {
    const known = this.#byPlace.get(keyOf(role, place));
    if (known === undefined) return null;
    const recording = known.recordings[known.next % known.recordings.length] ?? null;
    known.next++;
    return recording;
  }

  /** All recordings of a place, in order. */
  all(role: Role, place: string): readonly Recording[] {
    return this.#byPlace.get(keyOf(role, place))?.recordings ?? [];
  }
}

/** Reads a file, or all recordings of a folder. @throws {Error} that names the file */
export function readRecordings(path: string): readonly Recording[] {
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith(EXTENSION))
        .sort()
        .map((name) => join(path, name))
    : [path];
  return files.map((file) => {
    if (statSync(file).size > MOST_BYTES) throw new RecordingError(`${file}: more than ${MOST_BYTES} bytes`);
    try {
      return parseRecording(readFileSync(file, 'utf8'));
    } catch (error) {
      throw new RecordingError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

/** A client is known by where it goes, a server by the port that it serves. */
function placeOf({ role, local, remote }: Recording): string {
  return role === 'client' ? remote : portText(local);
}

/** `80` of `10.0.0.1:80` and `[::1]:80`. */
export function portText(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1);
}

function keyOf(role: Role, place: string): string {
  return `${role} ${place}`;
}
