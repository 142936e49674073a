/**
 * What goes wrong with devices and privileges, said so that a reader knows what to type next.
 */

/** What was being done when a system call failed; it decides the remedy. */
export interface FailureContext {
  /** A short clause: "open the TUN device tun0". */
  readonly action: string;
  /** The device's name or pattern. */
  readonly device?: string;
  /** The namespace as the caller named it. */
  readonly namespace?: string;
  /** Who has the device now, if that is known: "pid 123 (winsockd)". */
  readonly holder?: string;
}

/**
 * A device, an interface setting or a privilege that cannot be had. `code` is stable: the name of the system's error
 * (`EPERM`, `ENOENT`, `EBUSY`, `EINVAL`, …), `ENOSYS` where this system has no such devices or the addon is not built.
 * The message is the cause, then what to do about it.
 */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  readonly code: string;
  /** The system call or request that failed, if one did. */
  readonly syscall: string | undefined;

  constructor(code: string, message: string, syscall?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.syscall = syscall;
  }
}

/** The error that a system call named `syscall` means when it ends with `code`. */
export function deviceError(
  code: string,
  syscall: string,
  context: FailureContext,
  cause?: unknown,
): DeviceError {
  return new DeviceError(code, `cannot ${context.action}: ${remedy(code, syscall, context)}`, syscall, cause);
}

/** Runs `work`; a system call that fails in it becomes a {@link DeviceError}. Anything else passes through. */
export function explain<T>(context: FailureContext | (() => FailureContext), work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explained(error, context);
  }
}

/** The error that `error` means in this context: itself, unless the addon threw it for a failed system call. */
export function explained(error: unknown, context: FailureContext | (() => FailureContext)): unknown {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  // Duck-typed: the addon's errors belong to the main realm, whatever realm asks (vm contexts have their own Error).
  if (typeof code !== 'string' || typeof syscall !== 'string') return error;
  const known = typeof context === 'function' ? context() : context;
  return deviceError(code, syscall, known, error);
}

/** Cause and remedy, one sentence each. */
function remedy(code: string, syscall: string, context: FailureContext): string {
  if (syscall === 'open namespace') return namespaceRemedy(code, context);
  if (syscall === 'open /dev/net/tun') {
    const text = deviceNodeRemedy(code);
    if (text !== null) return text;
  }
  const text = remedies[code];
  return text === undefined ? `${syscall} failed with ${code}` : text(context, syscall);
}

function namespaceRemedy(code: string, context: FailureContext): string {
  const name = context.namespace ?? '';
  if (code !== 'ENOENT') return `the network namespace ${name} cannot be opened (${code}); run as root`;
  return `there is no network namespace ${name}; make it: ip netns add ${name}`;
}

function deviceNodeRemedy(code: string): string | null {
  if (code === 'ENOENT') {
    return (
      'there is no /dev/net/tun; load the driver: modprobe tun; in a container also make the node: ' +
      'mkdir -p /dev/net && mknod /dev/net/tun c 10 200 (or run it with --device /dev/net/tun)'
    );
  }
  if (code === 'ENODEV' || code === 'ENXIO')
    return 'the tun driver is not in this kernel; load it: modprobe tun';
  if (code === 'EACCES')
    return '/dev/net/tun may not be opened by this user; run as root, or chmod 0666 /dev/net/tun';
  return null;
}

const noPermission = (_context: FailureContext, syscall: string): string =>
  `no permission (${syscall}); run as root or with CAP_NET_ADMIN: sudo …, or ` +
  'setcap cap_net_admin+ep on the program that opens it, or use a device that root made for this user: ' +
  'ip tuntap add … user …';

const remedies: Readonly<Record<string, (context: FailureContext, syscall: string) => string>> = {
  EPERM: (context, syscall) =>
    syscall === 'setns'
      ? `entering the network namespace ${context.namespace ?? ''} needs CAP_SYS_ADMIN; run as root`
      : noPermission(context, syscall),
  EACCES: noPermission,
  EBUSY: ({ device = 'the device', holder }) =>
    `${device} is in use by ${holder ?? 'another process'}; choose another name, or stop that process`,
  EEXIST: () => 'it exists already; remove it first',
  EINVAL: ({ device }, syscall) =>
    syscall === 'TUNSETIFF'
      ? `${device} is no name for such a device, or an interface of another kind has it (ip link show); ` +
        'choose another name, or a pattern such as tun%d'
      : `${syscall} refused a value; see ip link, ip address and ip route for what is set now`,
  ENODEV: ({ device = 'the device' }) =>
    `the interface ${device} is not there (removed, or in another network namespace); open it again, or run inside its namespace`,
  EBADFD: ({ device = 'the device' }) => `the interface ${device} was removed; open it again`,
  EBADF: ({ device = 'the device' }) => `${device} is closed, or this descriptor never was one`,
  ENOTTY: () => 'this descriptor is no TUN or TAP device; hand in one that was opened from /dev/net/tun',
  EPROTO: (_context, syscall) =>
    syscall === 'IFF_NO_PI'
      ? 'it was opened with packet information; open it with IFF_NO_PI'
      : `the kernel gave an answer to ${syscall} that cannot be read`,
  EADDRNOTAVAIL: () => 'the interface has no such address; see ip address',
  ENETUNREACH: () =>
    'the gateway cannot be reached through this interface; give it an address of that network first',
  ENETDOWN: () => 'the interface is down; set it up first (isUp = true)',
  ESRCH: () => 'there is no such route; see ip route',
  ENOTSUP: () => 'a TUN device has no hardware address; use a TAP device',
  EMFILE: () => 'this process has too many open files; raise the limit: ulimit -n',
  ENFILE: () => 'the system has too many open files; raise fs.file-max',
};
