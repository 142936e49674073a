/** `winsockd netsh`: the provider catalog as Windows' netsh shows it, and what concerns interfaces. */

import { Command } from 'commander';
import type { Session } from '../command.ts';
import { netshInterfaceCommand } from './netsh-interface.ts';
import { netshWinsockCommand } from './netsh-winsock.ts';

export function netshCommand(session: Session): Command {
  return new Command('netsh')
    .description('what Windows’ netsh shows and sets of Winsock and the stack')
    .addCommand(netshWinsockCommand(session))
    .addCommand(netshInterfaceCommand(session));
}
