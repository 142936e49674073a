/**
 * Finding the addon. Nothing is loaded before something needs it: a machine without a compiler, or without Linux, can
 * install and use everything that needs no device.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { NativeAddon } from './addon.ts';
import { DeviceError } from './errors.ts';

/**
 * Where the addon may lie, best first: built here, or shipped for this platform. Relative to this file, which is two
 * folders below the package both as source and as build result.
 */
export function addonCandidates(): string[] {
  return ['build/Release/winsockd.node', `prebuilds/${process.platform}-${process.arch}/winsockd.node`].map(
    (path) => fileURLToPath(new URL(`../../native/${path}`, import.meta.url)),
  );
}

let loaded: NativeAddon | null = null;

/**
 * The addon; loaded by the first call.
 * @throws {DeviceError} `ENOSYS` off Linux, without a built addon, and when it does not load.
 */
export function loadNative(): NativeAddon {
  loaded ??= load(process.platform, addonCandidates());
  return loaded;
}

/** Whether devices can be used at all; a missing privilege or device node shows only when one is opened. */
export function isNativeAvailable(): boolean {
  try {
    loadNative();
    return true;
  } catch {
    return false;
  }
}

/** Loads the first of `candidates` that exists. For {@link loadNative} and its tests. */
export function load(platform: string, candidates: readonly string[]): NativeAddon {
  if (platform !== 'linux') {
    throw new DeviceError(
      'ENOSYS',
      `TUN and TAP devices need Linux, this is ${platform}; use the in-process network (createNetwork), which needs no device`,
    );
  }
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new DeviceError(
      'ENOSYS',
      'the native addon is not built; build it (a C compiler, make and python3 are needed): npm run build:native',
    );
  }
  try {
    return createRequire(import.meta.url)(path) as NativeAddon;
  } catch (error) {
    throw new DeviceError(
      'ENOSYS',
      `the native addon does not load (${(error as Error).message}); build it again for this Node: npm run build:native`,
      undefined,
      error,
    );
  }
}
