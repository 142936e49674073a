/**
 * A link of the daemon: a TUN or TAP device that it makes or was handed, or a wire in memory.
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
import type { LinkSettings } from './link-settings.ts';
import type { StateFile } from './state-file.ts';

/** An open link, and what is shown of it. */
export interface OpenedLink {
  readonly link: Link;
  readonly status: LinkStatus;
  /** Frees what is not the link's own. */
  close(): void;
}

const DEFAULT_MEMORY_MTU = 1500;

/**
 * Opens what the settings name, sets the kernel's side and brings it up. Privilege is needed here and never again.
 * @throws {DeviceError} with what to do.
 */
export function openLink(settings: LinkSettings, scheduler: Scheduler, state: StateFile): OpenedLink {
  if (settings.memory) return openMemory(settings, scheduler);
  const device = openDevice(settings);
  try {
    setUp(device, settings);
    // An adopted device may lie in a namespace that cannot be asked for its MTU.
    const options = settings.mtu === undefined ? {} : { mtu: settings.mtu };
    const link = device.kind === 'tap' ? openTap(device, options, state) : new TunLink(device, options);
    return { link, status: deviceStatus(device, link, settings), close: () => {} };
  } catch (error) {
    device.close();
    throw error;
  }
}

/** With the hardware address that the link had before: servers know the host by it. */
function openTap(device: Device, options: { readonly mtu?: number }, state: StateFile): TapLink {
  const mac = state.macOf(device.name);
  const link = new TapLink(device, mac === null ? options : { ...options, mac });
  if (mac === null && link.mac !== null) state.setMac(link.name, link.mac);
  return link;
}

function openDevice(settings: LinkSettings): Device {
  const offload = settings.offload ? OFFLOAD_ALL : 0;
  if (settings.tunFd !== undefined) return Device.adopt(settings.tunFd, { offload });
  const namespace = settings.netns === undefined ? {} : { namespace: settings.netns };
  if (settings.tap !== undefined) return Device.open('tap', { name: settings.tap, offload, ...namespace });
  return Device.open('tun', { name: settings.tun ?? 'tun%d', offload, ...namespace });
}

/** A device that was handed over is set only as far as the settings say something about it. */
function setUp(device: Device, settings: LinkSettings): void {
  if (settings.tunFd === undefined) {
    if (settings.mtu !== undefined) device.mtu = settings.mtu;
    deepenQueue(device);
  }
  for (const prefix of hostPrefixes(settings)) device.addAddress(prefix);
  if (settings.tunFd === undefined || settings.hostAddress.length > 0) device.isUp = true;
}

/** A wire in this process. A host address gets a host, so that there is somebody to talk to. */
function openMemory(settings: LinkSettings, scheduler: Scheduler): OpenedLink {
  const mtu = settings.mtu ?? DEFAULT_MEMORY_MTU;
  const offload = settings.offload ? OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 : 0;
  const wire = new MemorySegment({ scheduler, name: 'memory', mtu, offload });
  const link = wire.port({ name: 'memory0' });
  let peer: RunningHost | null = null;
  if (settings.hostAddress.length > 0) {
    peer = createHost({
      scheduler,
      links: [{ link: wire.port({ name: 'host0' }), addresses: settings.hostAddress }],
    });
  }
  const status = statusOf(link, 'memory', link.offload, settings.hostAddress, null);
  return { link, status, close: () => peer?.close() };
}

/** Asked for now, while the namespace can still be entered. */
function deviceStatus(device: Device, link: Link, settings: LinkSettings): LinkStatus {
  let addresses: readonly string[] = settings.hostAddress;
  try {
    addresses = device.addresses.map(({ address, length }) => `${address}/${length}`);
  } catch {
    // A device that was handed over may lie in a namespace that is closed to us.
  }
  return statusOf(link, device.kind, device.offload, addresses, settings.netns ?? null);
}

function statusOf(
  link: Link,
  kind: LinkStatus['kind'],
  offloadBits: number,
  hostAddresses: readonly string[],
  namespace: string | null,
): LinkStatus {
  const offload = OFFLOAD_NAMES.filter(([bit]) => (offloadBits & bit) !== 0).map(([, name]) => name);
  return { name: link.name, kind, mtu: link.mtu, offload, hostAddresses, namespace };
}

const OFFLOAD_NAMES = [
  [OFFLOAD_CSUM, 'csum'],
  [OFFLOAD_TSO4, 'tso4'],
  [OFFLOAD_TSO6, 'tso6'],
  [OFFLOAD_USO, 'uso'],
] as const;

function hostPrefixes(settings: LinkSettings): Prefix[] {
  return settings.hostAddress.flatMap((text) => parsePrefix(text) ?? []);
}
