/**
 * `winsockd/spi/streams`: a toolkit for layers that put something between a connection and its application: a handshake before the first
 * byte, or another form of all bytes.
 *
 *     export const WSPStartup = defineLayer(
 *       (next, layer) =>
 *         streamLayer(next, layer, tables, {
 *           connect: (s, name) => ({ limit: 5000, open: async (pipe) => new MyCodec(pipe) }),
 *         }).table,
 *       { name: 'mine', handles: 'own' },
 *     );
 *
 * - A layer says with {@link StreamRules} which connections are its business, and with a {@link StreamPlan} where such a connection goes
 *   and how its {@link Codec} is opened; {@link PipeCodec} is the one that changes nothing.
 * - {@link streamLayer} makes the calls of a provider from that: blocking and non-blocking calls, select, WSAPoll, WSAEventSelect,
 *   WSAAsyncSelect, overlapped operations, AcceptEx, ConnectEx, DisconnectEx, TransmitFile, TransmitPackets, shutdown and closing are
 *   answered from the layer's own queues, {@link QUEUE_LIMIT} bytes each way.
 * - The layer has handles of its own (`handles: 'own'`): readiness of the sockets below says nothing about its bytes.
 *
 * **What a codec may do wrong.** A `prepare`, `open`, `read`, `write`, `end` or `destroy` that throws, rejects or answers what it may not
 * fails that connection with WSAECONNABORTED and is told at the diagnostics channel `winsockd:streams` ({@link StreamFault}). One that does
 * not answer holds up its own connection: `open` for `limit` ms, a close for two seconds or what SO_LINGER says. Once a connection is over
 * its {@link Pipe} answers WSA_OPERATION_ABORTED, whoever has its handle by then. The calls of {@link StreamRules} are the layer's own: one
 * that throws is a fault of the layer, as in any of its calls.
 */

export type { StreamFault } from './contained.ts';
export type { Codec, Pipe, StreamLayer, StreamPlan, StreamRules } from './contract.ts';
export { CHUNK, QUEUE_LIMIT } from './limits.ts';
export { PipeCodec } from './pipe-codec.ts';
export { streamLayer } from './stream-layer.ts';
export type { StreamTables } from './streams.ts';
