/**
 * The daemon's link: a TUN or TAP device that it makes or was handed, or a wire in memory.
 */

import {
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  type Prefix,
  parsePrefix,
  type Scheduler,
} from '../base/index.ts';
import { createHost, type RunningHost } from '../engine/index.ts';
import { deepenQueue, TapLink, TunLink } from '../link/device/index.ts';
import { type Link, MemorySegment } from '../link/index.ts';
import { Device, OFFLOAD_ALL } from '../native/index.ts';
import type { LinkStatus } from '../port/index.ts';
import type { DaemonConfig } from './config.ts';

/** An open link, and what is shown of it. */
export interface OpenedLink {
  readonly link: Link;
  readonly status: LinkStatus;
  /** Frees what is not the link's own. */
  close(): void;
}

const DEFAULT_MEMORY_MTU = 1500;

/**
 * Opens what the configuration names, sets the kernel's side and brings it up. Privilege is needed here and never again.
 * @throws {DeviceError} with what to do.
 */
export function openLink(config: DaemonConfig, scheduler: Scheduler): OpenedLink {
  if (config.memory) return openMemory(config, scheduler);
  const device = openDevice(config);
  try {
    setUp(device, config);
    // An adopted device may lie in a namespace that cannot be asked for its MTU.
    const options = config.mtu === undefined ? {} : { mtu: config.mtu };
    const link = device.kind === 'tap' ? new TapLink(device, options) : new TunLink(device, options);
    return { link, status: deviceStatus(device, link, config), close: () => {} };
  } catch (error) {
    device.close();
    throw error;
  }
}

function openDevice(config: DaemonConfig): Device {
  const offload = config.offload ? OFFLOAD_ALL : 0;
  if (config.tunFd !== undefined) return Device.adopt(config.tunFd, { offload });
  const namespace = config.netns === undefined ? {} : { namespace: config.netns };
  if (config.tap !== undefined) return Device.open('tap', { name: config.tap, offload, ...namespace });
  return Device.open('tun', { name: config.tun ?? 'tun%d', offload, ...namespace });
}

/** A device that was handed over is set only as far as the configuration says something about it. */
function setUp(device: Device, config: DaemonConfig): void {
  if (config.tunFd === undefined) {
    if (config.mtu !== undefined) device.mtu = config.mtu;
    deepenQueue(device);
  }
  for (const prefix of hostPrefixes(config)) device.addAddress(prefix);
  if (config.tunFd === undefined || config.hostAddress.length > 0) device.isUp = true;
}

/** A wire in this process. A host address gets a host, so that there is somebody to talk to. */
function openMemory(config: DaemonConfig, scheduler: Scheduler): OpenedLink {
  const mtu = config.mtu ?? DEFAULT_MEMORY_MTU;
  const offload = config.offload ? OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 : 0;
  const wire = new MemorySegment({ scheduler, name: 'memory', mtu, offload });
  const link = wire.port({ name: 'memory0' });
  let peer: RunningHost | null = null;
  if (config.hostAddress.length > 0) {
    peer = createHost({
      scheduler,
      links: [{ link: wire.port({ name: 'host0' }), addresses: config.hostAddress }],
    });
  }
  const status = statusOf(link, 'memory', config.hostAddress, null);
  return { link, status, close: () => peer?.close() };
}

/** Asked for now, while the namespace can still be entered. */
function deviceStatus(device: Device, link: Link, config: DaemonConfig): LinkStatus {
  let addresses: readonly string[] = config.hostAddress;
  try {
    addresses = device.addresses.map(({ address, length }) => `${address}/${length}`);
  } catch {
    // A device that was handed over may lie in a namespace that is closed to us.
  }
  return statusOf(link, device.kind, addresses, config.netns ?? null);
}

function statusOf(
  link: Link,
  kind: LinkStatus['kind'],
  hostAddresses: readonly string[],
  namespace: string | null,
): LinkStatus {
  const offload = OFFLOAD_NAMES.filter(([bit]) => (link.offload & bit) !== 0).map(([, name]) => name);
  return { name: link.name, kind, mtu: link.mtu, offload, hostAddresses, namespace };
}

const OFFLOAD_NAMES = [
  [OFFLOAD_CSUM, 'csum'],
  [OFFLOAD_TSO4, 'tso4'],
  [OFFLOAD_TSO6, 'tso6'],
  [OFFLOAD_USO, 'uso'],
] as const;

function hostPrefixes(config: DaemonConfig): Prefix[] {
  return config.hostAddress.flatMap((text) => parsePrefix(text) ?? []);
}
