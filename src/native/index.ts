/**
 * native: the one C addon, and what needs it: TUN and TAP devices, peer credentials, dropping privilege. Linux only.
 *
 * - `Device`: open, adopt, settings of the interface (MTU, addresses, routes, up, …) in any network namespace, and
 *   frames in batches with offloads. Synchronous; nothing blocks. Whoever opens it closes it; a forgotten one is closed
 *   when it is collected, and a `watch` is ended by `close`.
 * - `Tun`, `Tap`: the same as streams with the habits of the `tuntap2` package.
 * - `peerCredentials`: who connected to a Unix socket. `dropPrivileges`: once, after the devices are open.
 * - `isNativeAvailable`: the addon is loaded when something first needs it, so that importing this room works anywhere.
 *
 * Bytes of a `readBatch` are the caller's own arena; those given to `writeBatch` are not kept. Whatever cannot be had is
 * a `DeviceError` with a stable `code`, the cause and what to type; a wrong argument is a `TypeError` or `RangeError`.
 */

export type { PeerCredentials } from './addon.ts';
export { peerCredentials } from './credentials.ts';
export {
  Device,
  type DeviceKind,
  type DeviceOptions,
  type DeviceRoute,
  OFFLOAD_ALL,
  READABLE,
  WRITABLE,
} from './device.ts';
export { DeviceStream, type DeviceStreamOptions, Tap, Tun } from './device-stream.ts';
export { DeviceError } from './errors.ts';
export { deviceHolder } from './holder.ts';
export { isNativeAvailable } from './load.ts';
export {
  dropPrivileges,
  type PrivilegeTarget,
  type ThreadPrivileges,
  threadPrivileges,
} from './privileges.ts';
