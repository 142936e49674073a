/**
 * link/device: links over devices of this machine (Linux), which need the C addon; all other links run anywhere.
 *
 * - {@link TunLink}, {@link TapLink}: IP packets or Ethernet frames to and from the kernel;
 * - {@link DeviceLink}: what they share, over anything that reads and writes batches ({@link FrameDevice}).
 */

export { DeviceLink, type DeviceLinkLimits, type FrameDevice, type LinkIdentity } from './device-link.ts';
export { deepenQueue } from './device-queue.ts';
export { TapLink, type TapLinkOptions } from './tap.ts';
export { TunLink, type TunLinkOptions } from './tun.ts';
