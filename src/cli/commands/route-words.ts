/**
 * The words behind `route add` and `route delete`, as Windows has them: `10.0.0.0 mask 255.0.0.0 10.1.1.1 metric 5 if 2`. A
 * destination may also be a prefix, and `default` is one.
 */

import { IpAddress, type IpFamily, parsePrefix } from '../../base/index.ts';
import type { RouteRequest } from '../../port/index.ts';
import { usageError } from '../exit-codes.ts';
import { readInteger } from '../units.ts';

/** @param family of `default`, where no gateway says it @throws {CliError} usage */
export function readRouteWords(words: readonly string[], family: IpFamily = 4): RouteRequest {
  const rest = [...words];
  const destination = rest.shift() ?? '';
  let mask: string | null = null;
  let gateway: string | null = null;
  let metric: number | null = null;
  let named: string | null = null;
  while (rest.length > 0) {
    const word = rest.shift() ?? '';
    switch (word.toLowerCase()) {
      case 'mask':
        mask = valueAfter('mask', rest);
        break;
      case 'metric':
        metric = readInteger('metric', valueAfter('metric', rest), 0, 9999);
        break;
      case 'if':
      case 'dev':
        named = valueAfter('if', rest);
        break;
      case 'gw':
      case 'via':
        gateway = readGateway(valueAfter(word, rest));
        break;
      default:
        if (gateway !== null) throw usageError('route', word, 'one of the words mask, metric or if');
        gateway = readGateway(word);
    }
  }
  return {
    destination: readDestination(destination, mask, gateway?.includes(':') === true ? 6 : family),
    ...(gateway === null ? {} : { gateway }),
    ...(named === null ? {} : { interface: /^\d+$/.test(named) ? Number(named) : named }),
    ...(metric === null ? {} : { metric }),
  };
}

function valueAfter(word: string, rest: string[]): string {
  const value = rest.shift();
  if (value === undefined) throw usageError(word, '', 'followed by a value');
  return value;
}

function readGateway(text: string): string {
  if (IpAddress.parse(text) === null)
    throw usageError('gateway', text, 'an internet address; names are not looked up');
  return text;
}

/** @param mask `null`: the destination's own prefix length, or one host; of 0.0.0.0, everything */
function readDestination(text: string, mask: string | null, family: IpFamily): string {
  if (text.toLowerCase() === 'default') return family === 6 ? '::/0' : '0.0.0.0/0';
  const prefix = parsePrefix(text);
  if (prefix === null) throw usageError('destination', text, 'an address or a prefix such as 10.0.0.0/8');
  if (mask === null)
    return prefix.address.isAny ? `${prefix.address}/0` : `${prefix.address}/${prefix.length}`;
  const length = lengthOf(mask);
  if (length < 0 || prefix.address.family !== 4 || text.includes('/')) {
    throw usageError(
      'mask',
      mask,
      'a mask such as 255.255.0.0, for an IPv4 destination without a prefix length',
    );
  }
  if (length < 32 && prefix.address.w3 << length !== 0) {
    // What Windows says of it.
    throw usageError(
      'destination',
      text,
      `a network under the mask ${mask}: (Destination & Mask) != Destination`,
    );
  }
  return `${prefix.address}/${length}`;
}

/** How many leading ones a mask has; -1 when it is none. */
function lengthOf(mask: string): number {
  const address = IpAddress.parse(mask);
  if (address === null || address.family !== 4) return -1;
  const length = Math.clz32(~address.w3);
  return length === 32 || address.w3 << length === 0 ? length : -1;
}
