/** The version of the package that this code was installed from. */

import { readFileSync } from 'node:fs';

/** `1.2.3`. Read once: `package.json` lies two folders above, in the source tree as in `dist`. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version ?? '0.0.0');
}
