/** `winsockd drops`: what was refused, how often, and the rule that says so. */

import type { Command } from 'commander';
import type { DropStatus } from '../../port/index.ts';
import { leaf, type Session, showOrWatch, type Watchable, watchOption } from '../command.ts';
import { isForPeople, table } from '../render.ts';

export function dropsCommand(session: Session): Command {
  return leaf<Watchable>(
    session,
    'drops',
    'list why packets were dropped, and which rule says so',
    (invocation) =>
      showOrWatch(
        invocation,
        () => invocation.client.get<DropStatus[]>('/v1/drops'),
        (drops) => dropsText(drops, isForPeople(invocation.context)),
      ),
  ).addOption(watchOption());
}

function dropsText(drops: readonly DropStatus[], isBold: boolean): string {
  if (drops.length === 0) return 'no packet was dropped\n';
  return table(
    drops,
    [
      { title: 'Count', align: 'right', value: ({ count }) => count },
      { title: 'Reason', value: ({ reason }) => reason },
      { title: 'Source', value: ({ source }) => source },
      { title: 'Meaning', value: ({ text }) => text },
    ],
    isBold,
  );
}
