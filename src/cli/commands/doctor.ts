/** `winsockd doctor`: what this machine lacks, and what to type. */

import type { Command } from 'commander';
import type { DaemonStatus, LinkStatus } from '../../port/index.ts';
import { leaf, type Session } from '../command.ts';
import type { Machine } from '../context.ts';
import { type ControlClient, isNoDaemon, startCommand } from '../control-client.ts';
import { CliError, ExitCode } from '../exit-codes.ts';

/** One line of the answer; `doctor --json` is a list of them. */
export interface Finding {
  readonly check: string;
  /** `note`: works, but somebody may stumble over it. `problem`: must be fixed, exit code 1. */
  readonly result: 'ok' | 'note' | 'problem';
  readonly text: string;
  /** What to type. */
  readonly remedy: string | null;
}

export function doctorCommand(session: Session): Command {
  return leaf(
    session,
    'doctor',
    'check what the daemon needs, and say what to type',
    async ({ context, client, print }) => {
      const { machine } = context;
      const daemon = await askDaemon(client);
      // What a start needs is no problem any more once a daemon runs.
      const severity = daemon.isThere ? 'note' : 'problem';
      const findings =
        machine.platform === 'linux'
          ? [
              ok('system', 'Linux'),
              deviceNode(machine, severity),
              privilege(machine, severity),
              addon(machine, severity),
              ipCommand(machine),
              daemon.finding,
              ...(daemon.status?.links ?? []).flatMap((link) => reversePath(machine, link)),
            ]
          : [otherSystem(machine.platform), daemon.finding];
      print(findings, () => findings.map(findingText).join(''));
      return findings.some(({ result }) => result === 'problem') ? ExitCode.no : ExitCode.ok;
    },
  );
}

function otherSystem(platform: string): Finding {
  const text = `this is ${platform}; TUN and TAP devices exist on Linux`;
  return { check: 'system', result: 'problem', text, remedy: 'winsockd up --memory' };
}

function deviceNode(machine: Machine, severity: Finding['result']): Finding {
  switch (machine.access(TUN_NODE)) {
    case 'usable':
      return ok('device', `${TUN_NODE} is there and may be opened`);
    case 'denied':
      return {
        check: 'device',
        result: severity,
        text: `${TUN_NODE} may not be opened by this user`,
        remedy: 'sudo winsockd up --tun tun0',
      };
    case 'missing':
      return {
        check: 'device',
        result: severity,
        text: `there is no ${TUN_NODE}`,
        remedy: 'sudo modprobe tun',
      };
  }
}

/** Making a device takes CAP_NET_ADMIN: capabilities(7). */
function privilege(machine: Machine, severity: Finding['result']): Finding {
  const status = machine.readText('/proc/self/status') ?? '';
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (effective !== undefined && (BigInt(`0x${effective}`) >> CAP_NET_ADMIN) % 2n === 1n) {
    return ok('privilege', machine.uid === 0 ? 'root' : 'CAP_NET_ADMIN');
  }
  if (effective === undefined && machine.uid === 0) return ok('privilege', 'root');
  const text =
    machine.uid === 0
      ? 'root without CAP_NET_ADMIN, as in a container'
      : 'neither root nor CAP_NET_ADMIN: no device can be made';
  const remedy =
    machine.uid === 0
      ? 'docker run --cap-add NET_ADMIN --device /dev/net/tun …'
      : 'sudo winsockd up --tun tun0 (rights are given up once the device is open)';
  return { check: 'privilege', result: severity, text, remedy };
}

function addon({ addonCandidates, access }: Machine, severity: Finding['result']): Finding {
  // Reading is enough, but whoever built it may write, too; a file that only root may write is as good.
  const found = addonCandidates.find((path) => access(path) !== 'missing');
  if (found !== undefined) return ok('addon', found);
  return {
    check: 'addon',
    result: severity,
    text: 'the native addon is not built',
    remedy: 'npm run build:native',
  };
}

function ipCommand({ findProgram }: Machine): Finding {
  const found = findProgram('ip');
  if (found !== null) return ok('ip', found);
  return {
    check: 'ip',
    result: 'note',
    text: 'there is no ip command; namespaces are made with it',
    remedy: 'sudo apt install iproute2',
  };
}

/** What is known of the daemon. One that refuses this user is there all the same. */
interface DaemonFound {
  readonly isThere: boolean;
  readonly status: DaemonStatus | null;
  readonly finding: Finding;
}

async function askDaemon(client: ControlClient): Promise<DaemonFound> {
  const check = 'daemon';
  try {
    const status = await client.get<DaemonStatus>('/v1/status');
    return { isThere: true, status, finding: ok(check, `process ${status.pid} answers at ${client.path}`) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (isNoDaemon(error)) {
      const text = `none answers at ${client.path}`;
      const finding: Finding = { check, result: 'note', text, remedy: startCommand(client.path) };
      return { isThere: false, status: null, finding };
    }
    const finding: Finding = { check, result: 'problem', text: error.message, remedy: null };
    return { isThere: error.exitCode === ExitCode.notPermitted, status: null, finding };
  }
}

/** Strict reverse-path checks drop what comes from addresses that are not routed to the device: ip-sysctl, rp_filter. */
function reversePath({ readText }: Machine, { name, kind, namespace }: LinkStatus): Finding[] {
  if (kind !== 'tun' && kind !== 'tap') return [];
  const setting = `net.ipv4.conf.${name}.rp_filter`;
  const check = 'rp_filter';
  if (namespace !== null) {
    const text = `${name} lies in namespace ${namespace}, whose settings are not seen from here`;
    return [{ check, result: 'note', text, remedy: `ip netns exec ${namespace} sysctl ${setting}` }];
  }
  const values = ['all', name].map((scope) => readText(`/proc/sys/net/ipv4/conf/${scope}/rp_filter`));
  if (values.some((value) => value === null)) return [];
  // The kernel takes the larger of the two; 1 is strict, 2 loose.
  const effective = Math.max(...values.map(Number));
  if (effective !== 1) return [ok(check, `${name}: ${effective === 0 ? 'off' : 'loose'}`)];
  return [
    {
      check,
      result: 'note',
      text: `${name}: strict; the kernel drops packets from addresses that are not routed to ${name}`,
      remedy: `sudo sysctl -w ${setting}=2`,
    },
  ];
}

function ok(check: string, text: string): Finding {
  return { check, result: 'ok', text, remedy: null };
}

function findingText({ check, result, text, remedy }: Finding): string {
  const line = `${result.padEnd(8)} ${check.padEnd(10)} ${text}\n`;
  return remedy === null ? line : `${line}${' '.repeat(20)}type: ${remedy}\n`;
}

const TUN_NODE = '/dev/net/tun';
/** capability.h */
const CAP_NET_ADMIN = 12n;
