/**
 * tshark and tcpdump as independent readers of what tests write.
 *
 * `describeTshark` is `describe` where they are installed; elsewhere the block is skipped and the reason printed, and under
 * `CI` that is a failure: there they are part of the set-up.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import type { Medium } from '../../src/base/index.ts';
import { PcapngWriter } from '../../src/capture/index.ts';

/** Everything that tshark calls wrong: broken bytes, errors and warnings of its experts, checksums. */
export const ANY_COMPLAINT =
  '_ws.malformed || _ws.expert.severity == "Error" || _ws.expert.severity == "Warning" || ' +
  ['ip', 'tcp', 'udp', 'icmp'].map((protocol) => `${protocol}.checksum.status == "Bad"`).join(' || ');

const CHECK_CHECKSUMS = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);

/** A block of tests that need tshark and tcpdump. @throws {Error} in CI, when they are missing */
export function describeTshark(name: string, body: () => void): void {
  const missing = ['tshark', 'tcpdump'].filter((tool) => !isInstalled(tool));
  if (missing.length === 0) {
    describe(name, body);
    return;
  }
  const reason = `not installed: ${missing.join(', ')} (apt-get install tshark tcpdump)`;
  if (process.env['CI'] !== undefined) throw new Error(`${name}: ${reason}`);
  process.stderr.write(`SKIPPED ${name}: ${reason}\n`);
  describe.skip(name, () => {
    test(`skipped: ${reason}`, () => {});
  });
}

/** A pcapng of packets, a millisecond apart. */
export function pcapngOf(packets: readonly Uint8Array[], medium: Medium = 'ip'): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new PcapngWriter({ write: (block) => parts.push(block.slice()) });
  const id = writer.addInterface({ name: 'test', medium });
  for (const [i, packet] of packets.entries()) writer.writePacket(id, i, packet, 0, packet.length);
  return Buffer.concat(parts);
}

/** Runs tshark over a capture file, checksums verified. @returns its lines @throws {Error} when it complains of the file */
export function tshark(file: Uint8Array, ...args: string[]): string[] {
  return withFile(file, (path) => run('tshark', ['-n', '-r', path, ...CHECK_CHECKSUMS, ...args]));
}

/** One row a packet: the fields' values, several of a field joined by commas. */
export function tsharkFields(file: Uint8Array, fields: readonly string[], ...args: string[]): string[][] {
  const columns = fields.flatMap((field) => ['-e', field]);
  const lines = tshark(file, '-T', 'fields', '-E', 'separator=|', ...columns, ...args);
  return lines.map((line) => line.split('|'));
}

/** The packets that tshark complains of, with its words. */
export function complaints(file: Uint8Array): string[] {
  const rows = tsharkFields(
    file,
    ['frame.number', '_ws.col.Info', '_ws.expert.message'],
    '-Y',
    ANY_COMPLAINT,
  );
  return rows.map((row) => row.join(' | '));
}

/** tcpdump's lines about a capture file: numeric, absolute sequence numbers, no times. */
export function tcpdump(file: Uint8Array): string[] {
  return withFile(file, (path) => run('tcpdump', ['-nnSt', '-r', path]));
}

function isInstalled(tool: string): boolean {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function withFile<T>(bytes: Uint8Array, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'winsockd-tshark-'));
  try {
    const path = join(folder, 'packets.pcapng');
    writeFileSync(path, bytes);
    return use(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(tool: string, args: readonly string[]): string[] {
  const text = execFileSync(tool, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    maxBuffer: 64 << 20,
  });
  return text.split('\n').filter((line) => line !== '');
}
