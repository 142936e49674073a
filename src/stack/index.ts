/**
 * stack: the sans-I/O internet host. `createStack` makes one; a driver feeds it frames and time and takes frames out.
 *
 * The contract (turns, ownership of bytes, errors) heads `api.ts`; what happens inside a turn:
 *
 *     input → ip/input, ipv6/input (link and IP header, addresses, fragments) → raw copies → tcp | udp | icmp → events
 *     calls on endpoints → outbox or send buffer → the interface's egress queue
 *     output → egress queue, each source a helping in turn → its path's headers → frames
 *
 * What an embedder needs besides (addresses, batches, a seeded random source, drop reasons) is exported from here too, so
 * that `winsockd/stack` is enough to run a host: `docs/embedding.md`, `examples/embed.ts`.
 *
 * Nothing here knows a device, a socket of the machine or its clock. Malformed traffic is a `DropReason`, counted; a call
 * that can't be done is a negative `StackError`; only a caller's bug throws.
 */

export {
  type BufferAllocator,
  type Clock,
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  type FrameBatch,
  flattenFrame,
  IpAddress,
  PoolAllocator,
  type Random,
  SeededRandom,
  type TransmitBatch,
  transmitLength,
} from '../base/index.ts';
export { DropReason, dropReasonInfo } from '../wire/index.ts';
export * from './api.ts';
export * from './cause.ts';
export * from './counters.ts';
export { duidOfEnterprise, duidOfLinkLayer, duidOfUuid, parseDuid } from './dhcp/duid.ts';
export type * from './dhcp/status.ts';
export { isInterfaceAddress } from './host-address.ts';
export { createStack } from './stack.ts';
export type { AckSample } from './tcp/congestion/ack-sample.ts';
export type {
  CongestionControl,
  CongestionControlFactory,
  CongestionSignal,
} from './tcp/congestion/control.ts';
export {
  CONGESTION_CONTROLS,
  type CongestionControlChoice,
  type CongestionControlName,
} from './tcp/congestion/registry.ts';
export type { EcnMode, EcnName } from './tcp/ecn/state.ts';
export * from './tcp/observe/event-record.ts';
export type { TcpInfo } from './tcp/observe/info.ts';
export type {
  TcpAppStatistics,
  TcpPathStatistics,
  TcpPerfStatistics,
  TcpStackStatistics,
  TcpStatistics,
} from './tcp/observe/statistics.ts';
export { LossReason, TcpEvent } from './tcp/observe/trace.ts';
export { TCP_STATES, type TcpState } from './tcp/state.ts';
