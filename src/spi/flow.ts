/**
 * Flow specifications: what a caller wishes for a connection, and whether that could be kept here.
 */

import { SERVICETYPE_CONTROLLEDLOAD, SERVICETYPE_GUARANTEED } from '../abi/index.ts';
import type { QOS } from './types.ts';

/** Whether a flow asks for resources to be set aside, either way; no provider here can. */
export function wantsResources(qos: QOS | null): boolean {
  if (qos === null) return false;
  const { ServiceType: out } = qos.SendingFlowspec;
  const { ServiceType: into } = qos.ReceivingFlowspec;
  return [out, into].some((type) => type === SERVICETYPE_CONTROLLEDLOAD || type === SERVICETYPE_GUARANTEED);
}
