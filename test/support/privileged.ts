/**
 * Tests that need root and a TUN device.
 *
 * `describePrivileged` is `describe` where the machine can run them. Elsewhere the block is skipped and the reason is
 * printed, so that a green run never hides that nothing was tried; under `CI` a missing privilege is a failure.
 */

import { accessSync, constants } from 'node:fs';
import { describe, test } from '@jest/globals';

/** Why tests with devices and namespaces cannot run here; `null` when they can. */
export function missingPrivilege(): string | null {
  if (process.platform !== 'linux') return `TUN devices exist on Linux only, this is ${process.platform}`;
  if (process.geteuid?.() !== 0)
    return 'not root: run the tests with sudo, or in a container with CAP_NET_ADMIN';
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return '/dev/net/tun is missing or not accessible: modprobe tun';
  }
  return null;
}

/**
 * A block of tests that need root and `/dev/net/tun`.
 * @throws {Error} in CI, when they cannot run: there the privilege is part of the set-up.
 */
export function describePrivileged(name: string, body: () => void): void {
  const reason = missingPrivilege();
  if (reason === null) {
    describe(name, body);
    return;
  }
  if (process.env['CI'] !== undefined) throw new Error(`${name}: ${reason}`);
  process.stderr.write(`SKIPPED ${name}: ${reason}\n`);
  describe.skip(name, () => {
    test(`skipped: ${reason}`, () => {});
  });
}
