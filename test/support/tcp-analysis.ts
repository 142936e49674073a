/**
 * tshark's analysis of TCP, held against what really happened to the packets: whatever it finds strange must have been made by
 * the path.
 *
 * A simulated host is recorded twice: at the host (all that it sends) and on the wire behind its impaired link (what survived).
 * What is in the first and not in the second was lost.
 */

import { readCapture } from '../../src/capture/index.ts';
import { type ReadPacket, readPacket } from './segment.ts';
import { ANY_COMPLAINT, tsharkFields } from './tshark.ts';

/** tshark's findings, `tcp.analysis.` and one of these. */
export const FINDINGS = [
  'retransmission',
  'fast_retransmission',
  'spurious_retransmission',
  'out_of_order',
  'lost_segment',
  'ack_lost_segment',
  'duplicate_ack',
  'window_full',
  'zero_window',
  'zero_window_probe',
  'zero_window_probe_ack',
  'keep_alive',
  'keep_alive_ack',
  'reused_ports',
] as const;
export type Finding = (typeof FINDINGS)[number];

/** A frame about which tshark says something. */
export interface Anomaly {
  readonly frame: number;
  readonly source: string;
  /** Relative to the connection's first. */
  readonly seq: number;
  readonly length: number;
  /** tshark's own. */
  readonly words: string;
  readonly findings: readonly Finding[];
}

/** What tshark's analysis of TCP finds in a capture, and all that it complains of. Window updates are no anomaly. */
export function anomalies(file: Uint8Array): Anomaly[] {
  const fields = FINDINGS.map((name) => `tcp.analysis.${name}`);
  const filter = [...fields, ANY_COMPLAINT].join(' || ');
  const columns = ['frame.number', 'ip.src', 'tcp.seq', 'tcp.len', '_ws.expert.message', ...fields];
  return tsharkFields(file, columns, '-Y', filter).map(([frame, source, seq, length, words, ...found]) => ({
    frame: Number(frame),
    source: source ?? '',
    seq: Number(seq),
    length: Number(length),
    words: words ?? '',
    findings: FINDINGS.filter((_, i) => (found[i] ?? '') !== ''),
  }));
}

/** All findings of some anomalies, each once, sorted. */
export function findingsOf(found: readonly Anomaly[]): Finding[] {
  return [...new Set(found.flatMap(({ findings }) => findings))].sort();
}

/** A packet that a host sent, and whether the path lost it. */
export interface SentPacket {
  readonly packet: ReadPacket;
  readonly isLost: boolean;
  /** The engine's comment: why it was sent. */
  readonly cause: string;
}

/**
 * What a host sent, in its order.
 * @param atHost recorded at the host
 * @param onWire recorded behind its link, whose packets do not overtake each other
 */
export function sentPackets(atHost: Uint8Array, onWire: Uint8Array, host: string): SentPacket[] {
  const survivors = [...readCapture(onWire)]
    .map(({ bytes }) => bytes)
    .filter((bytes) => sourceOf(bytes) === host);
  let next = 0;
  const sent: SentPacket[] = [];
  for (const { bytes, direction, comments } of readCapture(atHost)) {
    if (direction !== 'out') continue;
    const survivor = survivors[next];
    const isLost = survivor === undefined || Buffer.compare(survivor, bytes) !== 0;
    if (!isLost) next++;
    sent.push({ packet: readPacket(bytes), isLost, cause: comments.join(' ') });
  }
  if (next !== survivors.length)
    throw new Error(`${survivors.length - next} packets on the wire that nobody sent`);
  return sent;
}

/**
 * Retransmissions of bytes of which a copy had got through: needless, as far as anybody can know who sees the whole path. Copies
 * that `isExcused` are left out.
 */
export function needlessRetransmissions(
  sent: readonly SentPacket[],
  isExcused: (packet: SentPacket) => boolean,
): string[] {
  const base = sent[0]?.packet.seq ?? 0;
  const startOf = ({ packet }: SentPacket): number => ((packet.seq ?? 0) - base) >>> 0;
  const end = Math.max(0, ...sent.map((one) => startOf(one) + one.packet.payload.length));
  /** By offset from the first sequence number: 1 once a copy got through. */
  const delivered = new Uint8Array(end);
  const needless: string[] = [];
  for (const one of sent) {
    const start = startOf(one);
    const bytes = delivered.subarray(start, start + one.packet.payload.length);
    if (bytes.includes(1) && !isExcused(one)) needless.push(`${start}+${bytes.length}: ${one.cause}`);
    if (!one.isLost) bytes.fill(1);
  }
  return needless;
}

function sourceOf(bytes: Uint8Array): string {
  return bytes.subarray(12, 16).join('.');
}
