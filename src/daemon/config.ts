/**
 * The daemon's settings: one table of keys, filled from defaults, a JSON file with comments, the environment
 * (`WINSOCKD_TUN_FD` for `tunFd`) and the flags of `winsockd up` (WINSOCKD_CONFIG_JSON), the later winning. Nothing is taken that
 * the schema does not know.
 */

import { readFileSync } from 'node:fs';
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { z } from 'zod';
import { IpAddress } from '../base/index.ts';
import { isHostName } from '../names/index.ts';
import {
  BEHAVIOR_PROFILES,
  CONFIG_JSON_VARIABLE,
  DEFAULT_CONTROL_PATH,
  DEFAULT_SOCKET_PATH,
} from '../port/index.ts';
import { ConfigError } from './errors.ts';
import { furtherLink } from './link-settings.ts';
import { readPrefixPolicy } from './prefix-policy.ts';
import { deviceName, gateway, gateway6, mtu, namespace, portMap, prefix } from './schemas.ts';

/** Names the configuration file, as `--config` does. */
export const CONFIG_VARIABLE = 'WINSOCKD_CONFIG';

const nameServer = z
  .string()
  .refine((text) => IpAddress.parse(text)?.isHost === true, 'a host’s address, such as 10.77.0.1');
const hostName = z
  .string()
  .refine((text) => isHostName(text.replace(/\.$/, '')), 'a name, such as lab.example')
  .transform((text) => text.replace(/\.$/, ''));
const staticName = z
  .string()
  .refine(
    (text) =>
      /^[^=]+=[^=]+$/.test(text) &&
      isHostName(text.replace(/=.*/, '')) &&
      IpAddress.parse(text.replace(/.*=/, '')) !== null,
    'a name and its address, such as printer=10.77.0.9',
  );
const prefixPolicy = z
  .string()
  .refine(
    (text) => readPrefixPolicy(text) !== null,
    'a prefix with its precedence and label, such as fd00::/8=45:14',
  );
const catalogWriter = z.string().regex(/^(owner|anyone|\d{1,10})$/, 'a user number, owner or anyone');
const path = z
  .string()
  .min(1, 'a path')
  .max(107, 'a path of at most 107 bytes, the length of a Unix socket address');
const mode = z.string().regex(/^0?[0-7]{3}$/, 'an octal file mode, such as 0660');
const descriptor = z
  .number()
  .int('a descriptor number')
  .min(0, 'a descriptor number')
  .max(65_535, 'a descriptor number');

/** Every key, with what it may be. */
const schema = z.strictObject({
  /** The device: exactly one of the four. A name may hold one `%d`. */
  tun: deviceName.optional(),
  tap: deviceName.optional(),
  tunFd: descriptor.optional(),
  memory: z.boolean().default(false),
  /** The network namespace that the device is made in. */
  netns: namespace.optional(),
  /** The stack's own addresses. */
  address: z.array(prefix).default([]),
  /** The kernel's addresses on its side of the device; in memory, those of a second host. */
  hostAddress: z.array(prefix).default([]),
  gateway: gateway.optional(),
  gateway6: gateway6.optional(),
  /** Applications reach the world through the host's own sockets; and its loopback address, too. */
  share: z.boolean().default(false),
  shareLoopback: z.boolean().default(false),
  /** Address, routes and name servers are asked for on the link (RFC 2131). */
  dhcp: z.boolean().default(false),
  /** Name servers only are asked for on the link: its addresses are those given (RFC 2131 §3.4). */
  dhcpInform: z.boolean().default(false),
  /** IPv6 addresses, routes and name servers are those that routers on the link advertise (RFC 4862). */
  autoconf: z.boolean().default(false),
  /** The policy table of address selection (RFC 6724 §2.1), whole; none: the RFC's. */
  prefixPolicies: z.array(prefixPolicy).default([]),
  mtu: mtu.optional(),
  /** Checksum and segmentation offload of the device. */
  offload: z.boolean().default(true),
  /** Further links, each as words: `tap=lan0 address=192.168.5.1/24`. */
  link: z.array(furtherLink).default([]),
  /** Passes on what is for others, between all links. */
  forwarding: z.boolean().default(false),
  /** The interface to the outside: what is passed on by it leaves from its address. */
  nat: deviceName.optional(),
  /** Whose packets come in through the translator (RFC 4787 §5). */
  natFiltering: z.enum(['endpoint-independent', 'address', 'address-and-port']).default('address'),
  /** Ports of the outside that lead to hosts inside: `tcp:8080=192.168.5.9:80`. */
  portMap: z.array(portMap).default([]),
  socket: path.default(DEFAULT_SOCKET_PATH),
  socketMode: mode.default('0600'),
  control: path.default(DEFAULT_CONTROL_PATH),
  controlMode: mode.default('0600'),
  /** Who to be once the device is open. */
  user: z.string().min(1, 'a user name or number').optional(),
  group: z.string().min(1, 'a group name or number').optional(),
  /** Whom to ask for names before those that the network tells of. */
  nameServers: z.array(nameServer).default([]),
  /** Domains that are appended to short names. */
  searchList: z.array(hostName).default([]),
  /** A hosts file that is looked into first. */
  hostsFile: z.string().min(1, 'a file').optional(),
  /** Asks by multicast for names under .local (RFC 6762), and for those of one label that no server knows (RFC 4795). */
  mdns: z.boolean().default(false),
  llmnr: z.boolean().default(false),
  /** Answers by multicast for this host's name under .local, and for services that applications offer (RFC 6762). */
  mdnsResponder: z.boolean().default(false),
  /** Answers by multicast for this host's short name (RFC 4795). */
  llmnrResponder: z.boolean().default(false),
  /** Own addresses on which hosts of the local network are answered (port 53). */
  dnsProxy: z.array(nameServer).default([]),
  /** What the proxy answers for hosts of the local network: `printer=10.77.0.9`. */
  dnsNames: z.array(staticName).default([]),
  /** Whose behaviour applications see where versions of Windows differ, unless they choose for themselves. */
  profile: z.enum(BEHAVIOR_PROFILES).default('windows'),
  /** What this host is called; the machine's own name unless given. */
  hostName: hostName.optional(),
  /** A pcapng file to write from the start. */
  capture: z.string().min(1, 'a file').optional(),
  /**
   * A directory in which identity and leases are kept for the next start; without one nothing is. Default: what systemd names
   * (STATE_DIRECTORY).
   */
  stateDirectory: z.string().startsWith('/', 'an absolute path').optional(),
  /** A directory for the provider catalog; default `catalog` in the state directory, and without one memory. */
  catalog: z.string().startsWith('/', 'an absolute path').optional(),
  /** Which users may change the catalog, beside those who may use the control socket: their numbers, `owner` for the daemon's own, `anyone`. */
  catalogWriters: z.array(catalogWriter).default(['0', 'owner']),
  /** Where the log goes; standard error unless named. */
  log: z.string().min(1, 'a file').optional(),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** Told when the daemon is ready, or why it is not. */
  readyFd: descriptor.optional(),
  /** Seconds until it says that it is ready though its addresses can't be used yet. */
  readyWait: z.number().min(0, '0 to 600').max(600, '0 to 600').default(15),
  maxClients: z.number().int('a whole number').min(1, '1 to 65536').max(65_536, '1 to 65536').default(1024),
  maxSocketsPerClient: z
    .number()
    .int('a whole number')
    .min(1, '1 to 1000000')
    .max(1_000_000, '1 to 1000000')
    .default(16_384),
  maxBytesPerClient: z
    .number()
    .int('a whole number')
    .min(65_536, '65536 to 4294967295')
    .max(0xffff_ffff, '65536 to 4294967295')
    .default(256 * 1024 * 1024),
});

/** Settings that were checked, with every default filled in. */
export type DaemonConfig = z.output<typeof schema>;
export type ConfigKey = keyof DaemonConfig;
/** Values as they come from flags: strings are read as the key's type. */
export type ConfigInput = Readonly<Record<string, unknown>>;

export interface ConfigSources {
  /** By key; undefined values are not there. */
  readonly flags?: ConfigInput;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The configuration file; the environment may name it instead. */
  readonly file?: string;
}

/** All keys, for flags and completions. */
export const CONFIG_KEYS = Object.keys(schema.shape) as readonly ConfigKey[];

/**
 * Puts the settings together and checks them.
 * @throws {ConfigError} that names the place, the value and what is allowed.
 */
export function loadConfig(sources: ConfigSources = {}): DaemonConfig {
  const environment = sources.environment ?? {};
  const file = sources.file ?? environment[CONFIG_VARIABLE];
  const origin = new Map<string, string>();
  const merged: Record<string, unknown> = {};
  const take = (values: ConfigInput, name: (key: string) => string): void => {
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) continue;
      merged[key] = value;
      origin.set(key, name(key));
    }
  };
  if (file !== undefined) take(readConfigFile(file), (key) => `${file}: ${key}`);
  take(fromEnvironment(environment), environmentName);
  take(fromJsonVariable(environment), flagName);
  take(mapValues(sources.flags ?? {}, readText), flagName);
  const result = schema.safeParse(merged);
  if (!result.success) throw problem(result.error.issues[0], merged, origin);
  return checkTogether(result.data, origin);
}

/** `--tun-fd` of `tunFd`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `WINSOCKD_TUN_FD` of `tunFd`. */
export function environmentName(key: string): string {
  return `WINSOCKD_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

function readConfigFile(file: string): ConfigInput {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError('--config', file, `a file that can be read (${(error as Error).message})`);
  }
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined) {
    const line = text.slice(0, first.offset).split('\n').length;
    throw new ConfigError(
      `${file}:${line}`,
      text.slice(first.offset, first.offset + 20),
      `JSON (${printParseErrorCode(first.error)})`,
    );
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new ConfigError(file, value, 'a JSON object of settings');
  }
  return value as ConfigInput;
}

function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): ConfigInput {
  const values: Record<string, unknown> = {};
  // systemd's own, which may name several.
  const [directory] = environment['STATE_DIRECTORY']?.split(':') ?? [];
  if (directory !== undefined && directory !== '') values['stateDirectory'] = directory;
  for (const key of CONFIG_KEYS) {
    const text = environment[environmentName(key)];
    if (text !== undefined && text !== '') values[key] = readText(text, key);
  }
  return values;
}

/** The flags of `winsockd up`, handed over as one object. */
function fromJsonVariable(environment: Readonly<Record<string, string | undefined>>): ConfigInput {
  const text = environment[CONFIG_JSON_VARIABLE];
  if (text === undefined || text === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ConfigError(CONFIG_JSON_VARIABLE, text, 'JSON');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new ConfigError(CONFIG_JSON_VARIABLE, value, 'a JSON object of settings');
  }
  return value as ConfigInput;
}

/** Text as the key's type; what does not fit is left as it is, for the schema to name. */
function readText(value: unknown, key: string): unknown {
  if (typeof value !== 'string') return value;
  const kind = kindOf(key);
  if (kind === 'boolean')
    return value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value;
  if (kind === 'number') return /^\d+$/.test(value) ? Number(value) : value;
  return kind === 'array' ? value.split(',').map((part) => part.trim()) : value;
}

function kindOf(key: string): string {
  let type: unknown = schema.shape[key as ConfigKey];
  while (type instanceof z.ZodOptional || type instanceof z.ZodDefault) type = type.unwrap();
  return (type as z.ZodType | undefined)?.def.type ?? 'unknown';
}

function mapValues(values: ConfigInput, change: (value: unknown, key: string) => unknown): ConfigInput {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value, key)]));
}

function problem(
  issue: z.core.$ZodIssue | undefined,
  merged: ConfigInput,
  origin: ReadonlyMap<string, string>,
): ConfigError {
  if (issue === undefined) return new ConfigError('configuration', merged, 'settings');
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    return new ConfigError(origin.get(key) ?? key, merged[key], `one of the keys ${CONFIG_KEYS.join(', ')}`);
  }
  const key = String(issue.path[0] ?? '');
  const value = issue.path.reduce<unknown>(
    (inner, part) => (inner as Record<PropertyKey, unknown> | undefined)?.[part],
    merged,
  );
  const allowed =
    issue.code === 'invalid_type'
      ? `a ${issue.expected}`
      : issue.code === 'invalid_value'
        ? issue.values.map(String).join(', ')
        : issue.message;
  return new ConfigError(origin.get(key) ?? key, value, allowed);
}

/** Rules about more than one key. */
function checkTogether(config: DaemonConfig, origin: ReadonlyMap<string, string>): DaemonConfig {
  const named = (['tun', 'tap', 'tunFd'] as const).filter((key) => config[key] !== undefined);
  const devices: string[] = config.memory ? [...named, 'memory'] : [...named];
  const where = (key: string): string => origin.get(key) ?? flagName(key);
  if (devices.length > 1) {
    const [, second = ''] = devices;
    throw new ConfigError(
      where(second),
      config[second as ConfigKey],
      `one device only, and ${where(devices[0] ?? '')} names one`,
    );
  }
  if (devices.length === 0) config = { ...config, tun: 'tun%d' };
  if (config.netns !== undefined && (config.memory || config.tunFd !== undefined)) {
    throw new ConfigError(
      where('netns'),
      config.netns,
      'a namespace only where a device is made: with --tun or --tap',
    );
  }
  if (config.share && config.gateway !== undefined) {
    throw new ConfigError(
      where('gateway'),
      config.gateway,
      'either a gateway or --share: both are the way to everywhere',
    );
  }
  for (const key of ['gateway', 'gateway6'] as const) {
    const isOwn = config.address.some((text) => text.replace(/\/.*/, '') === config[key]);
    if (isOwn) throw new ConfigError(where(key), config[key], 'another address than those of --address');
  }
  if (config.shareLoopback && !config.share) {
    throw new ConfigError(where('shareLoopback'), true, 'only together with --share');
  }
  if (config.portMap.length > 0 && config.nat === undefined) {
    throw new ConfigError(where('portMap'), 'a port map', 'only together with --nat');
  }
  if (config.dhcp && config.dhcpInform) {
    throw new ConfigError(where('dhcpInform'), true, 'either this or an address by --dhcp');
  }
  if (config.socket === config.control) {
    throw new ConfigError(where('control'), config.control, 'another path than that of --socket');
  }
  return config;
}
