/**
 * Writes what a driver's links carry as pcapng, each packet with its story: the socket, why it was sent, or why it was
 * dropped and by which rule.
 */

import {
  FRAME_COLUMNS,
  FRAME_VERDICT,
  type FrameBatch,
  type TransmitBatch,
  TX_CAUSE,
  TX_COLUMNS,
} from '../base/index.ts';
import { FrameCapture, type FrameCaptureOptions, type PcapngWriter } from '../capture/index.ts';
import { causeText, type Endpoint, type Stack } from '../stack/index.ts';
import { dropReasonInfo } from '../wire/index.ts';
import type { FrameTap } from './tap.ts';

export interface RecorderOptions extends FrameCaptureOptions {
  /** What the stack's clock calls 0, in ms since 1970. Default 0. */
  readonly epoch?: number;
}

/**
 * Records a stack's interfaces.
 * @example driver.tap = new CaptureRecorder(stack, new PcapngWriter(sink), { epoch: performance.timeOrigin });
 */
export class CaptureRecorder implements FrameTap {
  readonly #stack: Stack;
  readonly #capture: FrameCapture;
  readonly #epoch: number;
  /** Numbers in the capture by interface index. */
  readonly #numbers = new Map<number, number>();

  constructor(stack: Stack, writer: PcapngWriter, options: RecorderOptions = {}) {
    this.#stack = stack;
    this.#capture = new FrameCapture(writer, options);
    this.#epoch = options.epoch ?? 0;
  }

  received(interfaceIndex: number, batch: FrameBatch, now: number): void {
    const number = this.#numberOf(interfaceIndex);
    for (let i = 0; i < batch.count; i++) {
      const verdict = batch.table[i * FRAME_COLUMNS + FRAME_VERDICT] as number;
      const comment = inboundComment(batch.owners[i] ?? null, verdict);
      this.#capture.received(number, this.#epoch + now, batch, i, comment);
    }
  }

  sent(interfaceIndex: number, batch: TransmitBatch, now: number): void {
    const number = this.#numberOf(interfaceIndex);
    for (let i = 0; i < batch.count; i++) {
      const cause = batch.table[i * TX_COLUMNS + TX_CAUSE] as number;
      const comment = outboundComment(batch.owners[i] ?? null, cause);
      this.#capture.sent(number, this.#epoch + now, batch, i, comment);
    }
  }

  #numberOf(interfaceIndex: number): number {
    let number = this.#numbers.get(interfaceIndex);
    if (number === undefined) {
      const view = this.#stack.interfaces.find(({ index }) => index === interfaceIndex);
      number = this.#capture.addInterface({
        name: view?.name ?? `interface ${interfaceIndex}`,
        medium: view?.medium ?? 'ip',
        mac: view?.mac ?? null,
      });
      this.#numbers.set(interfaceIndex, number);
    }
    return number;
  }
}

/** `tcp 10.0.0.2:80 ↔ 10.0.0.1:49152`; the empty string for what is no endpoint. */
export function describeOwner(owner: object | null): string {
  if (owner === null || !('kind' in owner) || !('localAddress' in owner)) return '';
  const { kind, localAddress, localPort, remoteAddress, remotePort } = owner as Endpoint;
  const local = `${kind} ${hostAndPort(localAddress.toString(), localPort)}`;
  return remoteAddress.isAny ? local : `${local} ↔ ${hostAndPort(remoteAddress.toString(), remotePort)}`;
}

/** What a capture says about a packet that came in. @param verdict 0 or the `DropReason` */
export function inboundComment(owner: object | null, verdict: number): string {
  if (verdict === 0) return describeOwner(owner);
  const reason = dropReasonInfo(verdict);
  const why =
    reason === null ? `dropped: ${verdict}` : `dropped: ${reason.name} (${reason.source}): ${reason.text}`;
  return joined(describeOwner(owner), why);
}

/** What a capture says about a packet that went out. */
export function outboundComment(owner: object | null, cause: number): string {
  return joined(describeOwner(owner), causeText(cause));
}

function joined(socket: string, story: string): string {
  if (socket === '' || story === '') return socket + story;
  return `${socket} · ${story}`;
}

function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
