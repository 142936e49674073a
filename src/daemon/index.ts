/**
 * daemon: the composition root that serves applications: a stack on a device, its sockets over IPC, and the control API.
 *
 * - `loadConfig` puts settings together from a file, the environment and flags;
 * - `runDaemon` is the program: signals, readiness, exit code; `startDaemon` the same as an object, for tests;
 * - the `…View` and `…Row` types are what the control API answers.
 *
 * Order of a start: lock, device, sockets' paths, then all privilege is given up, then the first frame is read. What cannot
 * be had ends the start with an error that says what to type, and nothing is left behind; so does a stop.
 */

export type { CaptureStatus } from './captures.ts';
export {
  CONFIG_KEYS,
  CONFIG_VARIABLE,
  type ConfigSources,
  type DaemonConfig,
  DEFAULT_CONTROL,
  DEFAULT_SOCKET,
  environmentName,
  flagName,
  loadConfig,
} from './config.ts';
export type { StatusView } from './control.ts';
export { ConfigError, ExitCode, exitCodeOf, StartError } from './errors.ts';
export type { ImpairDirection, ImpairLaneView, ImpairView } from './impairment.ts';
export { runDaemon } from './main.ts';
export type { ReadyMessage } from './notify.ts';
export type { PingEvent } from './ping.ts';
export { type Daemon, type DaemonHooks, startDaemon } from './supervisor.ts';
export { VERSION } from './version.ts';
export type { ClientRow, DropRow, InterfaceRow, RouteRow, SocketRow } from './views.ts';
