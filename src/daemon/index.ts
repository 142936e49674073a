/**
 * daemon: the composition root that serves applications: a stack on a device, its sockets over IPC, and the control API.
 *
 * - `main` is the executable; `runDaemon` what it runs: signals, readiness, exit code; `startDaemon` the daemon as an object;
 * - `loadConfig` puts settings together from a file, the environment and flags;
 * - the control API answers in the shapes of `port/control-api.ts`.
 *
 * Order of a start: locks, device, socket paths, then all privilege is given up, then the first frame is read. What cannot
 * be had ends the start with an error that says what to type, and nothing is left behind; so does a stop.
 */

export {
  CONFIG_KEYS,
  CONFIG_VARIABLE,
  type ConfigSources,
  type DaemonConfig,
  environmentName,
  flagName,
  loadConfig,
} from './config.ts';
export { ConfigError, ExitCode, exitCodeOf, StartError } from './errors.ts';
export { runDaemon } from './run.ts';
export { type Daemon, type DaemonHooks, startDaemon } from './supervisor.ts';
export { VERSION } from './version.ts';
