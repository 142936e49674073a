/**
 * The translator of addresses in the control API: switched on and off, its port maps and mappings.
 */

import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { NatStatus } from '../port/index.ts';
import type { Stack } from '../stack/index.ts';
import { asked, interfaceNamed, notThere } from './control-words.ts';
import { badRequest, checked, RequestError } from './request-error.ts';
import type { DaemonState } from './state.ts';

const port = z.coerce.number().int().min(1).max(65_535);
const protocol = z.enum(['tcp', 'udp']);
const schemas = {
  nat: z.strictObject({
    interface: z.union([z.number().int(), z.string()]),
    filtering: z
      .enum(['endpointIndependent', 'addressDependent', 'addressAndPortDependent'])
      .default('addressDependent'),
    maxMappings: z.number().int().min(1).max(65_536).optional(),
    maxMappingsPerHost: z.number().int().min(1).max(65_536).optional(),
  }),
  portMap: z.strictObject({
    protocol,
    outsidePort: z.number().int().min(1).max(65_535),
    insideAddress: z.string(),
    insidePort: z.number().int().min(1).max(65_535),
  }),
  outside: z.object({ protocol, port }),
};

export function addNat(app: FastifyInstance, { stack }: DaemonState): void {
  app.get('/v1/nat', () => natStatus(stack));
  app.put('/v1/nat', (request) => {
    const {
      interface: named,
      filtering,
      maxMappings,
      maxMappingsPerHost,
    } = checked(schemas.nat, request.body ?? {});
    const outside = interfaceNamed(stack, named);
    if (outside.isLoopback) throw badRequest('interface: nothing leaves by the loopback interface');
    asked(() =>
      stack.setNat({
        interfaceIndex: outside.index,
        filtering,
        ...(maxMappings === undefined ? {} : { maxMappings }),
        ...(maxMappingsPerHost === undefined ? {} : { maxMappingsPerHost }),
      }),
    );
    return natStatus(stack);
  });
  app.delete('/v1/nat', () => {
    if (stack.nat === null) throw notThere('translation of addresses');
    stack.setNat(null);
    return natStatus(stack);
  });
  app.post('/v1/nat/port-maps', (request) => {
    const map = checked(schemas.portMap, request.body ?? {});
    if (stack.nat === null) {
      throw new RequestError(
        409,
        'off',
        'addresses are not translated; "winsockd nat enable" switches that on',
      );
    }
    asked(() => stack.addNatPortMap(map));
    return natStatus(stack);
  });
  app.delete('/v1/nat/port-maps/:protocol/:port', (request) => {
    const { protocol, port } = checked(schemas.outside, request.params);
    if (!stack.removeNatPortMap(protocol, port)) throw notThere(`port map of ${protocol} port ${port}`);
    return natStatus(stack);
  });
}

function natStatus(stack: Stack): NatStatus {
  const { nat } = stack;
  const outside = stack.interfaces.find(({ index }) => index === nat?.interfaceIndex);
  return {
    interface: outside?.name ?? null,
    interfaceIndex: nat?.interfaceIndex ?? null,
    outsideAddress:
      outside?.addresses.find(({ address }) => address.family === 4)?.address.toString() ?? null,
    inside: insideOf(stack),
    filtering: nat?.filtering ?? null,
    mappings: stack.natMappings.map(({ insideAddress, ...rest }) => ({
      ...rest,
      insideAddress: insideAddress.toString(),
    })),
  };
}

function insideOf({ nat, interfaces }: Stack): string[] {
  if (nat === null) return [];
  const forwarding = interfaces.filter(
    ({ index, isForwarding }) => isForwarding && index !== nat.interfaceIndex,
  );
  return forwarding.map(({ name }) => name);
}
