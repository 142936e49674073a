/**
 * spi: the service-provider side of Winsock, as ws2spi.h has it.
 *
 * - {@link WSPPROC_TABLE} are the 30 calls of a provider, {@link WSPStartup} gives them out, {@link WSPUPCALLTABLE} is what a
 *   provider may call. `types` says how C's pointers look here.
 * - An {@link Answer} is a number, or a promise of one where a Windows thread would block: 0 or more is the value, below 0
 *   minus the WSA code. Nothing here throws for a wrong argument, and no promise rejects.
 * - {@link Catalog} is the list of entries that a process started with; {@link Providers} starts the provider that an entry
 *   names; {@link createBaseProvider} is the one at the bottom, over an `AfdPort`.
 *
 * - {@link defineLayer} makes a layered provider; {@link Ws2Exports} is what it may use besides the upcall table, and
 *   {@link ChainObserver} is told what layers do, and what they do wrong. A {@link CallWatcher} sees every call of every provider.
 *
 * - {@link NSP_ROUTINE} are the calls of a name-space provider, {@link NameSpaces} the catalog of them; the built-in ones are
 *   {@link createTcpipNameSpace}, {@link createNetworkNameSpace} and {@link createLocalNameSpace}. {@link NSPV2_ROUTINE} are those
 *   of version 2. {@link defineNameSpace} makes a provider of either version of one function that finds names.
 *
 * Memory that is handed in (buffers, names, references) is borrowed until the answer is there. Lists of buffers may be
 * changed as soon as the call has returned.
 */

export { WSAProviderCompleteAsyncCall } from './async-calls.ts';
export { getAcceptExSockaddrs } from './base-connect-extensions.ts';
export { type BaseExtensions, EXTENSION_IDS, RIO_TABLE } from './base-extension-calls.ts';
export * from './base-provider.ts';
export * from './call-tap.ts';
export * from './catalog.ts';
export { baseEntries, catalogDefaults, catalogIn } from './catalog-defaults.ts';
export * from './catalog-snapshot.ts';
export * from './chain.ts';
export * from './chain-observer.ts';
export * from './default-catalog.ts';
export * from './define-name-space.ts';
export * from './extensions.ts';
export * from './flowspec.ts';
export { functionAt, pointerOf, readPointer, writePointer } from './function-pointers.ts';
export { LAYER_LIMIT } from './guard-host.ts';
export { LOCAL_MACHINE, NAMELESS_HOST, numericAddress } from './host-lookup.ts';
export * from './inet-text.ts';
export * from './io-manager.ts';
export * from './layer.ts';
export * from './layer-types.ts';
export * from './local-name-space.ts';
export * from './lsp-categories.ts';
export type { NameAddress, NameQuestion, NameResult } from './name-question.ts';
export * from './name-space.ts';
export * from './name-space-catalog.ts';
export { firstError } from './name-space-guard.ts';
export * from './name-space-ids.ts';
export * from './name-space-v2.ts';
export { RESULT_CLASS_LEN, readVersion2 } from './name-space-v2-calls.ts';
export * from './network-name-space.ts';
export {
  eventOf,
  Operation,
  type OperationHost,
  type OperationSocket,
  PrivateRecord,
  resultOf,
  settleWaiters,
  whenDone,
} from './operation.ts';
export * from './provider.ts';
export * from './selection.ts';
export * from './services.ts';
export type { NameSpaceLookup, StartedNameSpace } from './started-name-space.ts';
export * from './tcpip-name-space.ts';
export { type TransmitSink, transmitFile, transmitPackets } from './transmit.ts';
export * from './types.ts';
export * from './upcalls.ts';
export * from './ws2-exports.ts';
