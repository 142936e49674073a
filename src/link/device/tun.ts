/**
 * A TUN device as a link: IP packets to and from the kernel of this machine.
 */

import { Device, type DeviceOptions } from '../../native/index.ts';
import { DeviceLink, type DeviceLinkLimits } from './device-link.ts';
import { deepenQueue, receiveQueueOf } from './device-queue.ts';

export interface TunLinkOptions extends DeviceLinkLimits {
  /** What to state as MTU. Default: the interface's; needed when that lies in a namespace which cannot be asked. */
  readonly mtu?: number;
}

/**
 * Packets of a TUN device. The kernel is at the other end: whatever it sends on its own, an IPv6 router solicitation
 * for one, is passed up like all else.
 *
 * @example
 * const link = TunLink.create({ name: 'tun0' });
 * link.device.addAddress(parsePrefix('10.0.0.1/24'));  // the kernel's end
 * link.device.isUp = true;
 */
export class TunLink extends DeviceLink {
  /** The device underneath: settings of the kernel's end. The link owns it. */
  readonly device: Device;

  /** Takes over an open device. @throws {TypeError} when it is no TUN; {DeviceError} when its MTU cannot be asked. */
  constructor(device: Device, options: TunLinkOptions = {}) {
    if (device.kind !== 'tun') throw new TypeError(`${device.name} is a TAP device, a TunLink needs a TUN`);
    const mtu = options.mtu ?? device.mtu;
    super(device, { mtu, medium: 'ip', mac: null, receiveQueue: receiveQueueOf(device, mtu) }, options);
    this.device = device;
  }

  /** Opens a device and makes a link of it; an `mtu` is set on the interface. @throws {DeviceError} as `Device.open`. */
  static create(options: DeviceOptions & TunLinkOptions = {}): TunLink {
    const device = Device.open('tun', options);
    try {
      if (options.mtu !== undefined) device.mtu = options.mtu;
      deepenQueue(device);
      return new TunLink(device, options);
    } catch (error) {
      device.close();
      throw error;
    }
  }
}
