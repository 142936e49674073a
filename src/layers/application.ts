/**
 * Whose calls a layer sees. `process.argv` does not tell: on the blocking face a layer runs in a thread of its own, and in a provider host in
 * another process.
 */

import type { Layer } from '../spi/index.ts';

/** The paths by which rules may name the application; none when nobody knows. */
export function programsOf({ ws2: { application } }: Layer): readonly string[] {
  return application === null ? [] : (application.programs ?? [application.path]);
}
