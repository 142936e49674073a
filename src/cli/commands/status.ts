/** `winsockd status`: is a daemon there, and what it holds. */

import type { Command } from 'commander';
import type { DaemonStatus, LinkStatus } from '../../port/index.ts';
import { leaf, type Session, showOrWatch, type Watchable, watchOption } from '../command.ts';
import { fields, formatBytes, formatDuration, orDash } from '../render.ts';

export function statusCommand(session: Session): Command {
  return leaf<Watchable>(
    session,
    'status',
    'show whether the daemon runs, its devices and what it holds',
    (invocation) =>
      showOrWatch(invocation, () => invocation.client.get<DaemonStatus>('/v1/status'), statusText),
  ).addOption(watchOption());
}

function statusText(status: DaemonStatus): string {
  return fields([
    [
      'daemon',
      `winsockd ${status.version}, process ${status.pid}, up ${formatDuration(status.uptimeSeconds)}`,
    ],
    ['user', `${status.uid}, ${status.hasPrivileges ? 'with privileges' : 'privileges dropped'}`],
    ['socket', status.socketPath],
    ['control', status.controlPath],
    ...status.links.map((link) => ['link', linkText(link)] as const),
    ['held', `${status.sockets} sockets of ${status.sessions} sessions`],
    ['memory', formatBytes(status.memoryBytes)],
  ]);
}

function linkText({ name, kind, namespace, mtu, offload, hostAddresses }: LinkStatus): string {
  return [
    `${name} (${kind}${namespace === null ? '' : `, in namespace ${namespace}`})`,
    `mtu ${mtu}`,
    `offload ${offload.length === 0 ? 'none' : offload.join(' ')}`,
    ...(hostAddresses.length === 0 ? [] : [`kernel’s side ${orDash(hostAddresses)}`]),
  ].join(', ');
}
