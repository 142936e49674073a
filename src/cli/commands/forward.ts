/**
 * `winsockd forward add|list|remove`: ports of this machine that lead to the stack, and ports of the stack that lead here.
 *
 *     winsockd forward add host:8080 stack:80
 *     winsockd forward add --udp stack:53 host:127.0.0.1:5353
 */

import { Command } from 'commander';
import type { ForwardPlace, ForwardStatus } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { ExitCode, usageError } from '../exit-codes.ts';
import { formatBytes, isForPeople, plural, table } from '../render.ts';
import { readInteger } from '../units.ts';

export function forwardCommand(session: Session): Command {
  const add = leaf<{ readonly udp?: boolean }>(session, 'add', 'forward a port', addForward)
    .argument('<listen>', 'where to listen: host:[ADDRESS:]PORT or stack:[ADDRESS:]PORT; port 0 is any')
    .argument('<target>', 'where that leads, on the other side')
    .option('--udp', 'datagrams rather than connections');
  const list = leaf(session, 'list', 'list what is forwarded', async ({ client, context, print }) => {
    const forwards = await client.get<ForwardStatus[]>('/v1/forwards');
    print(forwards, () => forwardsText(forwards, isForPeople(context)));
    return ExitCode.ok;
  });
  const remove = leaf(session, 'remove', 'end a forward and reset its connections', removeForward).argument(
    '<id>',
    'its number in the list',
  );
  return new Command('forward')
    .description('ports of this machine that lead to the stack, and back')
    .addCommand(add)
    .addCommand(list)
    .addCommand(remove);
}

async function addForward({
  client,
  args,
  options,
  print,
}: Invocation<{ readonly udp?: boolean }>): Promise<ExitCode> {
  const [listen = '', target = ''] = args;
  const body = {
    protocol: options.udp === true ? 'udp' : 'tcp',
    listen: readPlace('listen', listen, 0),
    target: readPlace('target', target, 1),
  };
  const made = await client.ask<ForwardStatus>('POST', '/v1/forwards', { body });
  print(made, () => `forward ${made.id}: ${wayText(made)}\n`);
  return ExitCode.ok;
}

async function removeForward({ client, args, print }: Invocation<unknown>): Promise<ExitCode> {
  const id = readInteger('id', args[0] ?? '', 1, 1e9);
  const gone = await client.ask<ForwardStatus>('DELETE', `/v1/forwards/${id}`);
  print(
    gone,
    () => `removed forward ${gone.id}: ${wayText(gone)}, ${plural(gone.total, 'connection')} in all\n`,
  );
  return ExitCode.ok;
}

/** `host:8080`, `stack:10.77.0.2:80`, `host:[::1]:80`. @throws {CliError} usage */
function readPlace(what: string, text: string, leastPort: number): ForwardPlace {
  const match = /^(host|stack):(?:(?:\[([^\]]+)\]|([^[\]:]+)):)?(\d+)$/.exec(text);
  if (match === null) {
    throw usageError(what, text, 'a place such as host:8080, stack:80, stack:10.77.0.2:80 or host:[::1]:80');
  }
  const [, side, inBrackets, bare, port = ''] = match;
  const address = inBrackets ?? bare;
  const place = {
    side: side === 'host' ? 'host' : 'stack',
    port: readInteger(what, port, leastPort, 65_535),
  } as const;
  return address === undefined ? place : { ...place, address };
}

function forwardsText(forwards: readonly ForwardStatus[], isBold: boolean): string {
  if (forwards.length === 0) return 'nothing is forwarded\n';
  return table(
    forwards,
    [
      { title: 'Id', align: 'right', value: ({ id }) => id },
      { title: 'Proto', value: ({ protocol }) => protocol },
      { title: 'Listen', value: ({ listen }) => placeText(listen) },
      { title: 'Target', value: ({ target }) => placeText(target) },
      { title: 'Now', align: 'right', value: ({ active }) => active },
      { title: 'Total', align: 'right', value: ({ total }) => total },
      { title: 'Failed', align: 'right', value: ({ failed }) => failed },
      { title: 'To host', align: 'right', value: ({ bytesToHost }) => formatBytes(bytesToHost) },
      { title: 'To stack', align: 'right', value: ({ bytesToStack }) => formatBytes(bytesToStack) },
      { title: 'Last error', value: ({ lastError }) => lastError },
    ],
    isBold,
  );
}

function wayText({ protocol, listen, target }: ForwardStatus): string {
  return `${protocol} ${placeText(listen)} → ${placeText(target)}`;
}

function placeText({ side, address, port }: Required<ForwardPlace>): string {
  return `${side}:${address.includes(':') ? `[${address}]` : address}:${port}`;
}
