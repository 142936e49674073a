/**
 * A link around another one: passes on everything both ways. Decorators override what they change.
 */

import type { FrameBatch, Medium, TransmitBatch } from '../base/index.ts';
import type { Link, LinkReceiver } from './link.ts';

export abstract class LinkDecorator implements Link, LinkReceiver {
  /** The link that is decorated; owned by the decorator. */
  protected readonly link: Link;
  /** Who opened the decorator; `null` before that, and once it is closed. */
  protected receiver: LinkReceiver | null = null;

  constructor(link: Link) {
    this.link = link;
  }

  get name(): string {
    return this.link.name;
  }

  get mtu(): number {
    return this.link.mtu;
  }

  get medium(): Medium {
    return this.link.medium;
  }

  get offload(): number {
    return this.link.offload;
  }

  get mac(): Uint8Array | null {
    return this.link.mac;
  }

  get receiveQueue(): number {
    return this.link.receiveQueue;
  }

  get dropped(): number {
    return this.link.dropped;
  }

  open(receiver: LinkReceiver): void {
    this.receiver = receiver;
    this.link.open(this);
  }

  transmit(batch: TransmitBatch): boolean {
    return this.link.transmit(batch);
  }

  receive(batch: FrameBatch, hasMore = false): void {
    this.receiver?.receive(batch, hasMore);
  }

  drained(): void {
    this.receiver?.drained();
  }

  failed(error: Error): void {
    this.receiver?.failed(error);
  }

  close(): void {
    this.link.close();
    this.receiver = null;
  }
}
