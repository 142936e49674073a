/** Whom `ping` and `traceroute` are to ask: an address, one with the name of an interface as its zone, or a name. */

import { IpAddress } from '../../base/index.ts';
import type { InterfaceStatus, ResolveAnswer } from '../../port/index.ts';
import type { ControlClient } from '../control-client.ts';
import { CliError, ExitCode, usageError } from '../exit-codes.ts';
import { printable } from '../render.ts';

/** `-4` and `-6`. */
export interface FamilyOptions {
  readonly 4?: boolean;
  readonly 6?: boolean;
}

/**
 * The target as an address of the family that is asked for: names are looked up by the daemon.
 * @throws {CliError} when it is of the other family, or there is no such name or interface
 */
export async function addressOf(
  client: ControlClient,
  target: string,
  options: FamilyOptions,
  command: string,
): Promise<string> {
  const address = await withZoneNumber(client, target);
  const given = IpAddress.parse(address);
  const wanted = options[6] === options[4] ? 0 : options[6] === true ? 6 : 4;
  if (given !== null) {
    if (wanted !== 0 && given.family !== wanted)
      throw usageError(command, target, `an IPv${wanted} address, as asked for`);
    return address;
  }
  const { records } = await client.ask<ResolveAnswer>('POST', '/v1/resolve', { body: { name: target } });
  const types = wanted === 0 ? ['A', 'AAAA'] : [wanted === 4 ? 'A' : 'AAAA'];
  for (const type of types) {
    const found = records.find((record) => record.type === type);
    if (found !== undefined) return found.data;
  }
  throw new CliError(ExitCode.no, 'no-such-name', `${printable(target)}: no such name, or it has no address`);
}

/** `fe80::1%tap0` as `fe80::1%2`, the interface's index (RFC 4007 §11.2); anything else as it is. */
async function withZoneNumber(client: ControlClient, text: string): Promise<string> {
  const [, address = '', zone = ''] = /^([^%]+)%([^%]*[^%\d][^%]*)$/.exec(text) ?? [];
  if (IpAddress.parse(address)?.family !== 6) return text;
  const interfaces = await client.get<InterfaceStatus[]>('/v1/interfaces');
  const found = interfaces.find(({ name }) => name === zone);
  if (found !== undefined) return `${address}%${found.index}`;
  const names = interfaces.map(({ name }) => name).join(', ');
  throw new CliError(
    ExitCode.no,
    'notFound',
    `there is no interface ${printable(zone)}; there is ${printable(names)}`,
  );
}
