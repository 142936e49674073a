/** TCP's settings in the control API: what `netsh interface tcp` shows and sets. They last until the daemon ends. */

import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { TcpSettingsStatus } from '../port/index.ts';
import type { Stack } from '../stack/index.ts';
import { asked } from './control-words.ts';
import { checked } from './request-error.ts';

const bytes = z.number().int().optional();
const schema = z.strictObject({
  sendBufferSize: bytes,
  sendBufferMax: bytes,
  receiveBufferSize: bytes,
  receiveBufferMax: bytes,
  initialRto: z.number().optional(),
  maxSynRetransmissions: z.number().int().optional(),
  timestamps: z.boolean().optional(),
  ecn: z.enum(['off', 'passive', 'classic', 'accurate']).optional(),
  fastOpen: z.boolean().optional(),
  congestionControl: z.enum(['cubic', 'newreno', 'bbr', 'ledbat']).optional(),
  pacing: z.boolean().optional(),
});

export function addTcpSettings(app: FastifyInstance, stack: Stack): void {
  app.get('/v1/tcp-settings', () => settingsOf(stack));
  app.patch('/v1/tcp-settings', (request) => {
    const given = Object.entries(checked(schema, request.body ?? {})).filter(
      ([, value]) => value !== undefined,
    );
    asked(() => stack.setTcpGlobals(Object.fromEntries(given)));
    return settingsOf(stack);
  });
}

function settingsOf({ tcpGlobals }: Stack): TcpSettingsStatus {
  const { congestionControl, ...rest } = tcpGlobals;
  return {
    ...rest,
    congestionControl: typeof congestionControl === 'string' ? congestionControl : 'custom',
  };
}
