/**
 * Bulk data through a stream, hashed on the way.
 */

import { createHash } from 'node:crypto';
import type { SimStream } from '../../src/sim/index.ts';
import type { Digest } from './kernel-peer.ts';

/** Not a divisor of any buffer or segment size, so that writes end everywhere. */
const CHUNK = 250_007;

/** A megabyte that no bug reproduces by accident: a chain of hashes. */
const DATA = ((): Uint8Array => {
  const data = new Uint8Array(1 << 20);
  let last: Uint8Array = Buffer.from('transfer');
  for (let at = 0; at < data.length; at += last.length) {
    last = createHash('sha256').update(last).digest();
    data.set(last, at);
  }
  return data;
})();

/** Writes `total` bytes and, unless told otherwise, the end. Resolves when the send buffer has taken them. */
export async function sendHashed(
  stream: SimStream,
  total: number,
  options: { readonly chunk?: number; readonly end?: boolean } = {},
): Promise<Digest> {
  const digest = createHash('sha256');
  let at = 0;
  for (let left = total; left > 0; ) {
    const part = DATA.subarray(at, at + Math.min(options.chunk ?? CHUNK, left));
    await stream.write(part);
    digest.update(part);
    left -= part.length;
    at = (at + part.length) % DATA.length;
  }
  if (options.end ?? true) stream.end();
  return { bytes: total, sha256: digest.digest('hex') };
}

/** Reads to the peer's end. */
export async function receiveHashed(stream: SimStream, chunk = 256 << 10): Promise<Digest> {
  const digest = createHash('sha256');
  let bytes = 0;
  for (let part = await stream.read(chunk); part !== null; part = await stream.read(chunk)) {
    digest.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: digest.digest('hex') };
}
