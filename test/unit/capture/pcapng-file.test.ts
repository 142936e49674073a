import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PcapngFile, type PcapngFileOptions } from '../../../src/capture/files/index.ts';
import { readCapture } from '../../../src/capture/index.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'winsockd-capture-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);
/** First bytes of the packets in a file: tests number their packets with them. */
const numbersIn = (name: string): number[] =>
  [...readCapture(readFileSync(at(name)))].map(
    ({ bytes }) => ((bytes[0] as number) << 8) | (bytes[1] as number),
  );

/** Writes packets of 1000 bytes, numbered from `first`. */
function fill(file: PcapngFile, id: number, first: number, count: number): void {
  const packet = new Uint8Array(1000);
  for (let i = first; i < first + count; i++) {
    packet[0] = i >> 8;
    packet[1] = i;
    file.writer.writePacket(id, i, packet, 0, packet.length, 'in', `packet ${i}`);
  }
}

const open = (name: string, options?: PcapngFileOptions): { file: PcapngFile; id: number } => {
  const file = new PcapngFile(at(name), options);
  return { file, id: file.writer.addInterface({ name: 'tun0', medium: 'ip' }) };
};

describe('PcapngFile', () => {
  test('packets are in the file after flush, and after close', () => {
    const { file, id } = open('a.pcapng');
    fill(file, id, 0, 2);
    file.flush();
    expect(numbersIn('a.pcapng')).toEqual([0, 1]);
    fill(file, id, 2, 1);
    file.close();
    expect(numbersIn('a.pcapng')).toEqual([0, 1, 2]);
    expect(file.bytesWritten).toBe(statSync(at('a.pcapng')).size);
  });

  test('more than the buffer holds reaches the file by itself, in order', () => {
    const { file, id } = open('a.pcapng', { bufferBytes: 3000 });
    fill(file, id, 0, 50);
    expect(statSync(at('a.pcapng')).size).toBeGreaterThan(45_000);
    file.close();
    expect(numbersIn('a.pcapng')).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test('a block larger than the buffer is written too', () => {
    const { file, id } = open('a.pcapng', { bufferBytes: 500 });
    fill(file, id, 0, 3);
    file.close();
    expect(numbersIn('a.pcapng')).toEqual([0, 1, 2]);
  });

  test('a file is readable by its owner only', () => {
    open('a.pcapng').file.close();
    expect(statSync(at('a.pcapng')).mode & 0o777).toBe(0o600);
  });

  test('a file that is there is replaced, or with append gets a further section', () => {
    for (const [append, expected] of [
      [false, [0]],
      [false, [1]],
      [true, [1, 2]],
      [true, [1, 2, 3]],
    ] as const) {
      const { file, id } = open('a.pcapng', { append });
      fill(file, id, expected.at(-1) as number, 1);
      file.close();
      expect(numbersIn('a.pcapng')).toEqual(expected);
    }
  });

  test('close twice is close once, and what comes after is counted as lost', () => {
    const { file, id } = open('a.pcapng');
    file.close();
    file.close();
    fill(file, id, 0, 2);
    expect([file.blocksLost, file.error]).toEqual([2, null]);
    expect(numbersIn('a.pcapng')).toEqual([]);
  });

  test('at the limit the capture ends: the file is whole and no larger, the rest is counted', () => {
    const { file, id } = open('a.pcapng', { maxBytes: 10_000 });
    fill(file, id, 0, 20);
    file.close();
    expect(numbersIn('a.pcapng')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(statSync(at('a.pcapng')).size).toBeLessThanOrEqual(10_000);
    expect([file.isFull, file.blocksLost]).toEqual([true, 11]);
  });

  test('append counts what is in the file towards the limit', () => {
    writeFileSync(at('a.pcapng'), '');
    const first = open('a.pcapng', { maxBytes: 10_000 });
    fill(first.file, first.id, 0, 5);
    first.file.close();
    const second = open('a.pcapng', { maxBytes: 10_000, append: true });
    fill(second.file, second.id, 5, 20);
    second.file.close();
    expect(numbersIn('a.pcapng')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('a ring keeps the newest files, each whole by itself', () => {
    const { file, id } = open('run.pcapng', { maxBytes: 5000, maxFiles: 3 });
    fill(file, id, 0, 30);
    expect(file.path).toBe(at('run-8.pcapng'));
    file.close();
    expect(readdirSync(folder).sort()).toEqual(['run-6.pcapng', 'run-7.pcapng', 'run-8.pcapng']);
    const numbers = ['run-6.pcapng', 'run-7.pcapng', 'run-8.pcapng'].flatMap(numbersIn);
    expect(numbers).toEqual(Array.from({ length: 10 }, (_, i) => 20 + i));
    expect(file.blocksLost).toBe(0);
  });

  test('a ring never has a file above the limit', () => {
    const { file, id } = open('run.pcapng', { maxBytes: 5000, maxFiles: 2 });
    for (let i = 0; i < 10; i++) {
      fill(file, id, i, 1);
      file.flush();
      for (const name of readdirSync(folder)) expect(statSync(at(name)).size).toBeLessThanOrEqual(5000);
      expect(readdirSync(folder).length).toBeLessThanOrEqual(2);
    }
    file.close();
  });

  test('a ring whose folder vanished ends with its error and throws nothing', () => {
    const { file, id } = open('run.pcapng', { maxBytes: 5000, maxFiles: 2 });
    rmSync(folder, { recursive: true });
    fill(file, id, 0, 20);
    expect(file.error?.message).toMatch(/run-2\.pcapng ended: .*ENOENT/);
    expect(file.blocksLost).toBeGreaterThan(10);
    file.close();
  });

  (existsSync('/dev/full') ? test : test.skip)(
    'a full disk ends the capture with its error and throws nothing',
    () => {
      const file = new PcapngFile('/dev/full', { bufferBytes: 100 });
      const id = file.writer.addInterface({ name: 'x', medium: 'ip' });
      fill(file, id, 0, 3);
      file.close();
      expect(file.error?.message).toMatch(/ENOSPC/);
      expect(file.blocksLost).toBeGreaterThan(0);
    },
  );

  test('a folder that is not there is told at once', () => {
    expect(() => new PcapngFile(at('no/such/folder.pcapng'))).toThrow(/ENOENT/);
  });

  test.each([
    [{ maxBytes: 100 }],
    [{ maxBytes: Number.NaN }],
    [{ maxFiles: 0, maxBytes: 10_000 }],
    [{ maxFiles: 1.5, maxBytes: 10_000 }],
    [{ maxFiles: 2 }],
    [{ maxFiles: 2, maxBytes: 10_000, append: true }],
  ])('options %p make no sense', (options) => {
    expect(() => new PcapngFile(at('a.pcapng'), options)).toThrow(RangeError);
    expect(readdirSync(folder)).toEqual([]);
  });
});
