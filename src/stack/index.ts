export * from './api.ts';
export * from './counters.ts';
export type { TcpInfo } from './tcp/info.ts';
export type { TcpState } from './tcp/state.ts';
