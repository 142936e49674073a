/**
 * The policy table of address selection (RFC 6724 §2.1) as the settings and the control API have it. The rows that the settings
 * name are the whole table; the API changes one row at a time, as `netsh interface ipv6 … prefixpolicy` does.
 */

import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parsePrefix } from '../base/index.ts';
import type { PrefixPolicy } from '../port/index.ts';
import type { Stack } from '../stack/index.ts';
import { ConfigError } from './errors.ts';
import { badRequest, checked, RequestError } from './request-error.ts';

const value = z.number().int().min(0).max(65_535);
const schemas = {
  row: z.strictObject({ prefix: z.string(), precedence: value, label: value }),
  change: z.strictObject({ prefix: z.string(), precedence: value.optional(), label: value.optional() }),
  prefix: z.strictObject({ prefix: z.string() }),
};

/** `fd00::/8=45:14`: prefix, precedence, label. @returns `null` when it is not of that form */
export function readPrefixPolicy(text: string): PrefixPolicy | null {
  const [prefix, precedence, label] = /^(\S+\/\d+)=(\d{1,5}):(\d{1,5})$/.exec(text)?.slice(1) ?? [];
  if (prefix === undefined || parsePrefix(prefix) === null) return null;
  const row = { prefix, precedence: Number(precedence), label: Number(label) };
  return schemas.row.safeParse(row).success ? row : null;
}

/** Makes the settings' rows the table; none: the default one stays. @throws {ConfigError} when they are no table together */
export function setPrefixPolicies(stack: Stack, texts: readonly string[]): void {
  if (texts.length === 0) return;
  try {
    stack.setAddressPolicy(texts.flatMap((text) => readPrefixPolicy(text) ?? []));
  } catch (error) {
    throw new ConfigError('prefixPolicies', texts.join(', '), `a table (${(error as Error).message})`);
  }
}

export function addPrefixPolicies(app: FastifyInstance, stack: Stack): void {
  app.get('/v1/prefix-policies', () => stack.addressPolicy);
  app.post('/v1/prefix-policies', (request) => {
    const row = checked(schemas.row, request.body ?? {});
    if (find(stack, row.prefix) >= 0)
      throw new RequestError(409, 'exists', `there is a policy for ${row.prefix} already; set changes it`);
    return setRows(stack, [...stack.addressPolicy, row]);
  });
  app.patch('/v1/prefix-policies', (request) => {
    const { prefix, ...change } = checked(schemas.change, request.body ?? {});
    const at = found(stack, prefix);
    const named = Object.fromEntries(Object.entries(change).filter(([, given]) => given !== undefined));
    return setRows(
      stack,
      stack.addressPolicy.map((row, i) => (i === at ? { ...row, ...named } : row)),
    );
  });
  app.delete('/v1/prefix-policies', (request) => {
    const { prefix } = checked(schemas.prefix, request.body ?? {});
    const at = found(stack, prefix);
    return setRows(
      stack,
      stack.addressPolicy.filter((_, i) => i !== at),
    );
  });
}

function setRows(stack: Stack, rows: readonly PrefixPolicy[]): readonly PrefixPolicy[] {
  try {
    stack.setAddressPolicy(rows);
  } catch (error) {
    throw error instanceof RangeError ? badRequest(error.message) : error;
  }
  return stack.addressPolicy;
}

/** Where the row of a prefix stands, however the prefix is written; -1: nowhere. */
function find(stack: Stack, text: string): number {
  const wanted = parsePrefix(text);
  if (wanted === null) throw badRequest(`prefix: ${text} is no prefix such as fd00::/8`);
  return stack.addressPolicy.findIndex(({ prefix }) => {
    const held = parsePrefix(prefix);
    return held?.length === wanted.length && held.address.equals(wanted.address);
  });
}

function found(stack: Stack, prefix: string): number {
  const at = find(stack, prefix);
  if (at < 0) throw new RequestError(404, 'notFound', `there is no policy for ${prefix}`);
  return at;
}
