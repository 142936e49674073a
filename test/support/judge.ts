/**
 * tshark as the judge of every packet that we emit: records what passes a device, then asks for what is wrong.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandResult, Namespace } from './netns.ts';

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

  private constructor(space: Namespace, device: string, snapLength: number) {
    this.#space = space;
    this.#tcpdump = space.spawn(
      // A buffer for the bursts that a busy machine lets pile up. Root is kept, so that the folder stays ours.
      [
        'tcpdump',
        '-Z',
        'root',
        '-i',
        device,
        '-s',
        String(snapLength),
        '-B',
        '131072',
        '-n',
        '-w',
        this.file,
        'ip',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#tcpdump.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#ended = new Promise((resolve) => this.#tcpdump.once('close', () => resolve()));
  }

  /** Records `device` from now on. @param snapLength bytes kept of each packet; whole packets by default. */
  static async start(space: Namespace, device: string, snapLength = 262_144): Promise<Judge> {
    const judge = new Judge(space, device, snapLength);
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

  /** Ends the recording. @throws {Error} when packets were missed: nothing could be said about them. */
  async stop(): Promise<void> {
    this.#tcpdump.kill('SIGINT');
    await this.#ended;
    const missed = /(\d+) packets? dropped by kernel/.exec(this.#stderr)?.[1];
    if (missed !== '0') throw new Error(`the recording is not whole: ${this.#stderr}`);
  }

  /** What tshark has to say against packets from `source`: one line each, none when all are right. */
  async complaints(source: string, options: JudgeOptions): Promise<string[]> {
    const wrong = [
      ...ALWAYS_WRONG,
      ...(options.hasChecksums ? WRONG_CHECKSUMS : []),
      ...(options.alsoWrong ?? []),
    ];
    const fields = ['frame.number', '_ws.col.Info', '_ws.expert.message'].flatMap((field) => ['-e', field]);
    return this.#lines([
      ...['-o', 'ip.check_checksum:TRUE'],
      ...['-o', `tcp.check_checksum:${options.hasChecksums ? 'TRUE' : 'FALSE'}`],
      ...['-o', `udp.check_checksum:${options.hasChecksums ? 'TRUE' : 'FALSE'}`],
      ...['-Y', `ip.src == ${source} && (${wrong.join(' || ')})`, '-T', 'fields', ...fields],
    ]);
  }

  /** How many packets match a display filter. */
  async count(filter: string): Promise<number> {
    return (await this.#lines(['-Y', filter, '-T', 'fields', '-e', 'frame.number'])).length;
  }

  /** Forgets the recording. */
  remove(): void {
    this.#tcpdump.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #lines(args: readonly string[]): Promise<string[]> {
    // No guesses about payloads: random bytes look like some protocol now and then.
    const asData = ['-d', 'tcp.port==0-65535,data', '-d', 'udp.port==0-65535,data'];
    const argv = ['tshark', '-n', '-r', this.file, ...asData, ...args];
    const result: CommandResult = await this.#space.run(argv, 120_000);
    if (result.status !== 0) throw new Error(`tshark: ${result.stderr}`);
    return result.stdout.split('\n').filter((line) => line !== '');
  }
}
