/**
 * What of TCP's knobs can be changed while the stack runs: `Stack.setTcpGlobals`.
 *
 * It counts for endpoints that are opened from now on, and for those that have no connection yet (listeners: for what they accept) as far
 * as their users have not chosen otherwise. A connection keeps what it has agreed on with its peer; only its receive buffer grows no
 * further than the new maximum.
 */

import type { TcpGlobals } from '../api.ts';
import { initialSettings, type TcpConfig, type TcpSettings } from './config.ts';
import { checkChoice } from './congestion/registry.ts';

/** Least and most of each number, and what it is in. */
const RANGES: { readonly [K in keyof TcpGlobals]?: readonly [least: number, most: number] } = {
  sendBufferSize: [4096, 1 << 30],
  sendBufferMax: [4096, 1 << 30],
  receiveBufferSize: [4096, 0xffff << 14],
  receiveBufferMax: [4096, 0xffff << 14],
  initialRto: [100, 60_000],
  maxSynRetransmissions: [0, 20],
};

export function globalsOf(config: TcpConfig): TcpGlobals {
  const { sendBufferSize, sendBufferMax, receiveBufferSize, receiveBufferMax } = config;
  const { initialRto, maxSynRetransmissions, timestamps, ecn, fastOpen, congestionControl, pacing } = config;
  return {
    sendBufferSize,
    sendBufferMax,
    receiveBufferSize,
    receiveBufferMax,
    initialRto,
    maxSynRetransmissions,
    timestamps,
    ecn,
    fastOpen,
    congestionControl,
    pacing,
  };
}

/**
 * @param sockets all there are
 * @throws RangeError for a value that can't be; nothing changes then
 */
export function changeGlobals(
  config: TcpConfig,
  change: Partial<TcpGlobals>,
  sockets: Iterable<{ readonly tcb: object | null; readonly settings: TcpSettings }>,
): void {
  for (const [name, range] of Object.entries(RANGES)) {
    const value = change[name as keyof TcpGlobals];
    if (value === undefined) continue;
    const [least, most] = range;
    if (typeof value !== 'number' || !(value >= least && value <= most))
      throw new RangeError(`${name} is ${least} to ${most}, not ${String(value)}`);
  }
  if (change.congestionControl !== undefined) checkChoice(change.congestionControl);
  const before = initialSettings(config);
  // The one object is what all of TCP looks at.
  Object.assign(config, change);
  const after = initialSettings(config);
  for (const { tcb, settings } of sockets) if (tcb === null) follow(settings, before, after);
}

/** An endpoint's settings that were the stack's become what the stack's are now. */
function follow(settings: TcpSettings, before: TcpSettings, after: TcpSettings): void {
  const { receiveBufferSize, isReceiveBufferFixed, isSendBufferFixed, timestamps, ecn, fastOpen } = before;
  if (
    settings.receiveBufferSize === receiveBufferSize &&
    settings.isReceiveBufferFixed === isReceiveBufferFixed
  ) {
    settings.receiveBufferSize = after.receiveBufferSize;
    settings.isReceiveBufferFixed = after.isReceiveBufferFixed;
  }
  if (settings.sendBufferSize === before.sendBufferSize && settings.isSendBufferFixed === isSendBufferFixed) {
    settings.sendBufferSize = after.sendBufferSize;
    settings.isSendBufferFixed = after.isSendBufferFixed;
  }
  if (settings.timestamps === timestamps) settings.timestamps = after.timestamps;
  if (settings.ecn === ecn) settings.ecn = after.ecn;
  if (settings.fastOpen === fastOpen) settings.fastOpen = after.fastOpen;
  if (settings.congestionControl === before.congestionControl) {
    settings.congestionControl = after.congestionControl;
  }
}
