/**
 * `winsockd catalog check`: why sockets fail that go through layers, or go past them; and what mends it.
 *
 *     1010 "guard over [MSAFD Tcpip [TCP/IP]]" (CFG-FAIL-01)
 *         it names 1007, which is not installed: its sockets fail with WSAEPROVIDERFAILEDINIT
 *         → winsockd netsh winsock remove provider 1010
 */

import type { Command } from 'commander';
import { type CatalogFinding, checkCatalog, readSnapshot } from '../../catalog/index.ts';
import type { CatalogEntry } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import type { Machine } from '../context.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { printable } from '../render.ts';

export function catalogCheckCommand(session: Session): Command {
  return leaf(session, 'check', 'why sockets fail that go through layers, or go past them', check);
}

async function check({ client, context, print }: Invocation<unknown>): Promise<ExitCode> {
  const snapshot = readSnapshot(await client.get('/v1/catalog/snapshot'));
  if (snapshot === null) throw new CliError(ExitCode.no, 'no-catalog', 'the daemon’s answer is no catalog');
  const { entries } = snapshot;
  const findings = [...lostModules(entries, context.machine), ...checkCatalog(entries)];
  print(findings, () => (findings.length === 0 ? 'the catalog is sound\n' : findings.map(text).join('')));
  return findings.length === 0 ? ExitCode.ok : ExitCode.no;
}

/** Layers and base providers whose file is not on this machine (CFG-FAIL-02). Packages are for their applications to find. */
function lostModules(entries: readonly CatalogEntry[], machine: Machine): CatalogFinding[] {
  const lost = entries.filter(
    ({ info, path }) => info.ChainLen <= 1 && path.startsWith('/') && machine.access(path) === 'missing',
  );
  return lost.map(({ info, path }) => ({
    id: info.dwCatalogEntryId,
    entry: info.szProtocol,
    rule: 'CFG-FAIL-02',
    what: `${path} is not there: sockets of its chains fail with WSAEPROVIDERFAILEDINIT`,
    cure: `put it back, or: winsockd netsh winsock remove provider ${info.dwCatalogEntryId}`,
  }));
}

function text({ id, entry, rule, what, cure }: CatalogFinding): string {
  return `${id} "${printable(entry)}" (${rule})\n    ${printable(what)}\n    → ${printable(cure)}\n`;
}
