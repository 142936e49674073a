/**
 * tshark as the judge of every packet that we emit: records what passes a device, then asks for what is wrong.
 */

import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OURS, until } from './live-host.ts';
import type { Namespace } from './netns.ts';

/** What is wrong whatever the path does: broken bytes, wrong lengths, acknowledgements of what was never sent. */
const ALWAYS_WRONG = [
  '_ws.malformed',
  '_ws.expert.severity == "Error"',
  'ip.checksum.status == "Bad"',
  'icmp.checksum.status == "Bad"',
  'tcp.option.len.invalid',
  'tcp.hdr_len < 20',
  'tcp.analysis.ack_lost_segment',
] as const;

/** Judged where checksums leave us complete. */
const WRONG_CHECKSUMS = ['tcp.checksum.status == "Bad"', 'udp.checksum.status == "Bad"'] as const;

/** Where the mark of the end is looked for: what may come after it fits in. */
const TAIL_BYTES = 4096;

export interface JudgeOptions {
  /** Whether transport checksums are complete on the device: not with offloads. */
  readonly hasChecksums: boolean;
  /** Further display filters for what must not be there. */
  readonly alsoWrong?: readonly string[];
}

/** A running recording of one device. */
export class Judge {
  readonly #space: Namespace;
  readonly #folder = mkdtempSync(join(tmpdir(), 'winsockd-judge-'));
  readonly #tcpdump: ChildProcess;
  readonly #ended: Promise<void>;
  #stderr = '';

  private constructor(space: Namespace, device: string, snapLength: number, filter: string) {
    this.#space = space;
    // Packets are written as they are read, for `stop`; a large buffer takes the bursts that a busy machine lets pile up.
    // Root is kept, so that the folder stays ours.
    const options = ['-Z', 'root', '-n', '-U', '-B', '131072', '-s', String(snapLength)];
    this.#tcpdump = space.spawn(['tcpdump', ...options, '-i', device, '-w', this.file, filter], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#tcpdump.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#ended = new Promise((resolve) => this.#tcpdump.once('close', () => resolve()));
  }

  /**
   * Records `device` from now on. @param snapLength bytes kept of each packet; whole packets by default.
   * @param filter tcpdump's words for what is recorded
   */
  static async start(
    space: Namespace,
    device: string,
    snapLength = 262_144,
    filter = 'ip or ip6',
  ): Promise<Judge> {
    const judge = new Judge(space, device, snapLength, filter);
    await new Promise<void>((resolve, reject) => {
      judge.#tcpdump.stderr?.on('data', () => {
        if (judge.#stderr.includes('listening on')) resolve();
      });
      judge.#tcpdump.once('close', () => reject(new Error(`tcpdump: ${judge.#stderr}`)));
    });
    return judge;
  }

  /** The recording. */
  get file(): string {
    return join(this.#folder, 'device.pcap');
  }

  /**
   * Ends the recording once everything that passed until now is in it: a datagram sent last, to the discard port, says so.
   * @throws {Error} when packets were missed: nothing could be said about them.
   */
  async stop(): Promise<void> {
    const mark = `end of ${this.#folder}`;
    await this.#space.run(['bash', '-c', `printf %s '${mark}' >/dev/udp/${OURS}/9`]);
    await until('the last packet is recorded', () => this.#tail().includes(mark));
    this.#tcpdump.kill('SIGINT');
    await this.#ended;
    const missed = /(\d+) packets? dropped by kernel/.exec(this.#stderr)?.[1];
    if (missed !== '0') throw new Error(`the recording is not whole: ${this.#stderr}`);
  }

  /** The last bytes of the recording. */
  #tail(): Buffer {
    const file = openSync(this.file, 'r');
    try {
      const bytes = Buffer.alloc(TAIL_BYTES);
      const { size } = fstatSync(file);
      return bytes.subarray(0, readSync(file, bytes, 0, TAIL_BYTES, Math.max(0, size - TAIL_BYTES)));
    } finally {
      closeSync(file);
    }
  }

  /** What tshark has to say against packets from `source`: one line each, none when all are right. */
  complaints(source: string, options: JudgeOptions): Promise<string[]> {
    return complaintsAbout(this.#space, this.file, sentBy(source), options);
  }

  /** How many packets `source` sent, of those that match a display filter. */
  countFrom(source: string, filter = 'frame'): Promise<number> {
    return this.count(`${sentBy(source)} && (${filter})`);
  }

  /** How many packets match a display filter. */
  async count(filter: string): Promise<number> {
    return (await tsharkLines(this.#space, this.file, ['-Y', filter, '-T', 'fields', '-e', 'frame.number']))
      .length;
  }

  /** Forgets the recording. */
  remove(): void {
    this.#tcpdump.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function sentBy(source: string): string {
  return `${source.includes(':') ? 'ipv6' : 'ip'}.src == ${source}`;
}

/** What tshark has to say against those packets of a capture file that match `filter`. */
export function complaintsAbout(
  space: Namespace,
  file: string,
  filter: string,
  options: JudgeOptions,
): Promise<string[]> {
  const wrong = [
    ...ALWAYS_WRONG,
    ...(options.hasChecksums ? WRONG_CHECKSUMS : []),
    ...(options.alsoWrong ?? []),
  ];
  const fields = ['frame.number', '_ws.col.Info', '_ws.expert.message'].flatMap((field) => ['-e', field]);
  return tsharkLines(space, file, [
    ...['-o', 'ip.check_checksum:TRUE'],
    ...['-o', `tcp.check_checksum:${options.hasChecksums ? 'TRUE' : 'FALSE'}`],
    ...['-o', `udp.check_checksum:${options.hasChecksums ? 'TRUE' : 'FALSE'}`],
    ...['-Y', `(${filter}) && (${wrong.join(' || ')})`, '-T', 'fields', ...fields],
  ]);
}

/** The lines that tshark prints about a capture file. @throws {Error} with its own words when it fails */
export async function tsharkLines(
  space: Namespace,
  file: string,
  args: readonly string[],
): Promise<string[]> {
  // No guesses about payloads: random bytes look like some protocol now and then.
  const asData = ['-d', 'tcp.port==0-65535,data', '-d', 'udp.port==0-65535,data'];
  const { status, stdout, stderr } = await space.run(
    ['tshark', '-n', '-r', file, ...asData, ...args],
    120_000,
  );
  if (status !== 0) throw new Error(`tshark: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}
