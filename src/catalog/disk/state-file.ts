/**
 * A state as a file: `catalog-000000000012.json`, JSON with a format number, written once and never changed.
 */

import type { CatalogRecord, SkippedPart } from '../../port/index.ts';
import { readRecord, writeRecord } from '../change-codec.ts';
import { CheckedReader } from '../checked.ts';
import type { CatalogDefaults, CatalogState } from '../state.ts';
import { readState, writeParts } from '../state-codec.ts';

const FORMAT = 'winsockd-catalog';
/** What this code writes; it reads no later one. */
export const FORMAT_VERSION = 1;
export const MAX_FILE_BYTES = 8 << 20;
const NAME = /^catalog-(\d{12})\.json$/;
const DIGITS = 12;

/** What a file holds. */
export interface StateFile {
  readonly state: CatalogState;
  readonly skipped: readonly SkippedPart[];
  /** The change that made it. */
  readonly made: CatalogRecord;
  /** Tells two files of one serial apart. */
  readonly mark: string;
}

/** A file of a later format: it is neither read nor written over. */
export class NewerFormat {
  readonly version: number;

  constructor(version: number) {
    this.version = version;
  }

  get why(): string {
    return (
      `its format is version ${this.version}, and this program knows ${FORMAT_VERSION}: ` +
      'use the newer program, or move the folder away to begin with the default catalog'
    );
  }
}

export function stateFileName(serial: number): string {
  return `catalog-${String(serial).padStart(DIGITS, '0')}.json`;
}

/** The serial in a file's name; `null` for other files. */
export function serialOf(name: string): number | null {
  const serial = Number(NAME.exec(name)?.[1] ?? 0);
  return serial === 0 ? null : serial;
}

export function stateFileText(state: CatalogState, made: CatalogRecord, mark: string): string {
  const { nextId } = state;
  const file = {
    format: FORMAT,
    version: FORMAT_VERSION,
    mark,
    made: writeRecord(made),
    nextId,
    ...writeParts(state),
  };
  return `${JSON.stringify(file, null, 1)}\n`;
}

/** @returns a string that says why the text is no state */
export function readStateFile(
  text: string,
  serial: number,
  defaults: CatalogDefaults,
): StateFile | NewerFormat | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is no JSON';
  }
  const reader = new CheckedReader();
  const object = reader.object(value, 'the file');
  reader.oneOf(object['format'], 'format', [FORMAT]);
  const version = reader.int(object['version'], 'version', 1, Number.MAX_SAFE_INTEGER);
  if (reader.problem !== null) return reader.problem;
  if (version > FORMAT_VERSION) return new NewerFormat(version);
  const mark = reader.text(object['mark'], 'mark', 100);
  const made = readRecord(object['made']);
  if (reader.problem !== null) return reader.problem;
  if (made === null || made.serial !== serial) return 'it does not say which change made it';
  const skipped: SkippedPart[] = [];
  const state = readState(object, defaults, skipped);
  return { state, skipped, made, mark };
}
