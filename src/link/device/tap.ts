/**
 * A TAP device as a link: Ethernet frames to and from the kernel of this machine, or a bridge that it is part of.
 */

import { Device, type DeviceOptions } from '../../native/index.ts';
import { DeviceLink, type DeviceLinkLimits } from './device-link.ts';
import { deepenQueue, receiveQueueOf } from './device-queue.ts';

export interface TapLinkOptions extends DeviceLinkLimits {
  /** What to state as MTU. Default: the interface's; needed when that lies in a namespace which cannot be asked. */
  readonly mtu?: number;
  /** Our hardware address, six bytes. Default: the interface's own with the last bit turned. */
  readonly mac?: Uint8Array;
}

/**
 * Frames of a TAP device. The interface's hardware address is the kernel's, at the other end of the cable; ours must be
 * another one, and stay the same as long as the interface's does, so that neighbours need not learn it anew.
 */
export class TapLink extends DeviceLink {
  /** The device underneath: settings of the kernel's end. The link owns it. */
  readonly device: Device;

  /** Takes over an open device. @throws {TypeError} when it is no TAP; {DeviceError} when it cannot be asked. */
  constructor(device: Device, options: TapLinkOptions = {}) {
    if (device.kind !== 'tap') throw new TypeError(`${device.name} is a TUN device, a TapLink needs a TAP`);
    const mac = options.mac ?? neighbourOf(device);
    if (mac.length !== 6) throw new TypeError('a hardware address has six bytes');
    const mtu = options.mtu ?? device.mtu;
    const receiveQueue = receiveQueueOf(device, mtu);
    super(device, { mtu, medium: 'ethernet', mac: Uint8Array.from(mac), receiveQueue }, options);
    this.device = device;
  }

  /** Opens a device and makes a link of it; an `mtu` is set on the interface. @throws {DeviceError} as `Device.open`. */
  static create(options: DeviceOptions & TapLinkOptions = {}): TapLink {
    const device = Device.open('tap', options);
    try {
      if (options.mtu !== undefined) device.mtu = options.mtu;
      deepenQueue(device);
      return new TapLink(device, options);
    } catch (error) {
      device.close();
      throw error;
    }
  }
}

/** The kernel makes up a random address for each TAP: the one beside it is as unique. */
function neighbourOf(device: Device): Uint8Array {
  const mac = Uint8Array.from(device.mac ?? []);
  mac[5] = (mac[5] as number) ^ 1;
  return mac;
}
