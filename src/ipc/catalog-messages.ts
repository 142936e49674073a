/**
 * Catalogs, changes and records as the bytes of REQUEST and COMPLETION: JSON in UTF-8, the values of which the `catalog` room writes and
 * reads. They are rare, small, and the same in the catalog's files.
 */

import type { Json } from '../catalog/index.ts';

export function encodeJson(value: Json): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** @returns `undefined` when the bytes are no JSON, or there are none */
export function decodeJson(bytes: Uint8Array | null): unknown {
  if (bytes === null) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch {
    return undefined;
  }
}
