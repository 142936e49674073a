/**
 * stream: a toolkit for layers that put something between a connection and its application: a handshake before the first byte, or
 * another form of all bytes.
 *
 * A layer says with {@link StreamRules} which connections are its business, and with a {@link StreamPlan} where such a connection goes and how
 * its {@link Codec} is opened. {@link streamLayer} makes the calls of a provider from that: blocking and non-blocking calls, select,
 * WSAEventSelect, WSAAsyncSelect, overlapped operations, ConnectEx, shutdown and closing are answered from the layer's own queues.
 */

export type { Codec, Pipe, StreamLayer, StreamPlan, StreamRules } from './contract.ts';
export { PipeCodec } from './pipe-codec.ts';
export { streamLayer } from './stream-layer.ts';
export type { StreamTables } from './streams.ts';
