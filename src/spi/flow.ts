/**
 * Flow specifications: what a caller wishes for a connection, and whether that could be kept here.
 */

import type { QOS } from './types.ts';

/** The service types of a flow that wants resources set aside; no provider here can. */
const SERVICETYPE_CONTROLLEDLOAD = 2;
const SERVICETYPE_GUARANTEED = 3;

/** Whether a flow asks for more than best effort, either way. */
export function wantsResources(qos: QOS | null): boolean {
  if (qos === null) return false;
  const { ServiceType: out } = qos.SendingFlowspec;
  const { ServiceType: into } = qos.ReceivingFlowspec;
  return [out, into].some((type) => type === SERVICETYPE_CONTROLLEDLOAD || type === SERVICETYPE_GUARANTEED);
}
