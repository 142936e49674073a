/**
 * The daemon's links: opened with privilege, given to the host when it is gone.
 */

import type { RealTime, RunningHost, SystemRandom } from '../engine/index.ts';
import type { DaemonConfig } from './config.ts';
import { type OpenedLink, openLink } from './device.ts';
import { Impairment } from './impairment.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { LinkSettings } from './link-settings.ts';
import type { StateFile } from './state-file.ts';
import type { Undo } from './undo.ts';

/** A link, open but not the host's yet. */
export interface Line {
  readonly settings: LinkSettings;
  readonly opened: OpenedLink;
  readonly impairment: Impairment;
  isAttached: boolean;
}

/** Opens a link; until the host has it, it is ours to close. */
export function openLine(
  settings: LinkSettings,
  scheduler: RealTime,
  random: SystemRandom,
  state: StateFile,
  undo: Undo,
): Line {
  const opened = openLink(settings, scheduler, state);
  undo.add(() => opened.close());
  const impairment = new Impairment(opened.link, scheduler, random.next() >>> 1);
  const line: Line = { settings, opened, impairment, isAttached: false };
  undo.add(() => {
    if (!line.isAttached) impairment.link.close();
  });
  return line;
}

/** Gives a link to the host, with its addresses and what finds them. @returns the interface's index */
export function attachLink(
  { driver, stack }: RunningHost,
  line: Line,
  leases: LeaseKeeper,
  config: DaemonConfig,
): number {
  const { address, gateway, gateway6, autoconf, dhcp, dhcpInform } = line.settings;
  const index = driver.attach(line.impairment.link, {
    addresses: address,
    ...(gateway === undefined ? {} : { gateway }),
    ...(gateway6 === undefined ? {} : { gateway6 }),
  });
  line.isAttached = true;
  leases.recall(index, line.opened.link.name);
  if (autoconf) stack.startAutoconf(index);
  if (dhcp || dhcpInform) {
    // A fully qualified name would be taken for a name with dots in it.
    const [label = ''] = config.hostName?.split('.') ?? [];
    const mode = dhcp ? 'stateful' : 'stateless';
    stack.startDhcp(index, /^[0-9a-z-]+$/i.test(label) ? { mode, hostName: label } : { mode });
  }
  return index;
}
