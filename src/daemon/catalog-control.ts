/**
 * The provider catalog in the control API. Whoever may use the control socket may end the daemon, and so may change its catalog.
 */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { wsaErrorMessage, wsaErrorName } from '../abi/index.ts';
import {
  catalogPort,
  describeRefusal,
  readChange,
  writeAnswer,
  writeRecord,
  writeSnapshot,
} from '../catalog/index.ts';
import { isNativeAvailable, peerCredentials } from '../native/index.ts';
import { programOf } from './catalog.ts';
import { ownUid } from './paths.ts';
import { badRequest, RequestError } from './request-error.ts';
import type { DaemonState } from './state.ts';
import { catalogEntryStatus } from './views.ts';

export function addCatalog(app: FastifyInstance, { catalog: { keeper } }: DaemonState): void {
  app.get('/v1/catalog', () => keeper.read().entries.map(catalogEntryStatus));
  app.get('/v1/catalog/snapshot', () => writeSnapshot(keeper.read()));
  app.get('/v1/catalog/history', () => keeper.history().map(writeRecord));
  app.post('/v1/catalog/changes', async (request) => {
    const change = readChange(request.body);
    if (change === null) throw badRequest('the body is no change of a catalog');
    const answer = await catalogPort(keeper, whoAsks(request), true).apply(change);
    if (answer.error === 0) return writeAnswer(answer);
    const why = describeRefusal(change, answer.error) ?? wsaErrorMessage(answer.error);
    throw new RequestError(409, wsaErrorName(answer.error), why);
  });
}

/** Who has sent a request: the kernel's answer where there is one. */
export function whoAsks({ socket }: FastifyRequest): { uid: number; pid: number; program: string } {
  // node:net has no public way to the descriptor of a connection.
  const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1;
  try {
    if (isNativeAvailable() && fd >= 0) {
      const { uid, pid } = peerCredentials(fd);
      return { uid, pid, program: programOf(pid, 'control') };
    }
  } catch {
    // It has hung up already, or is no socket: a test's.
  }
  return { uid: ownUid(), pid: 0, program: 'control' };
}
