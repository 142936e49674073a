/**
 * How much each client may ask: a bucket of tokens a client, filled steadily. Bounded: of too many clients the one that asked
 * longest ago is forgotten, which gives it a full bucket and costs nobody anything.
 */

import type { Clock, IpAddress } from '../base/index.ts';

export interface RateLimitOptions {
  /** Questions a second that a client may go on asking. */
  readonly perSecond: number;
  /** Questions at once after a rest. */
  readonly burst: number;
  readonly maxClients: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
  /** Questions that are not answered yet. */
  pending: number;
}

export class RateLimit {
  readonly #clock: Clock;
  readonly #options: RateLimitOptions;
  /** Who asked longest ago first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, options: RateLimitOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get clients(): number {
    return this.#buckets.size;
  }

  /** Takes a token. @returns whether there was one */
  take(client: IpAddress): boolean {
    const bucket = this.#bucketOf(client);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  /** How many questions of a client are open, changed by `by`. */
  pending(client: IpAddress, by: number): number {
    const bucket = this.#bucketOf(client);
    bucket.pending = Math.max(0, bucket.pending + by);
    return bucket.pending;
  }

  #bucketOf(client: IpAddress): Bucket {
    const { burst, perSecond, maxClients } = this.#options;
    const key = clientKey(client);
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, filledAt: now, pending: 0 };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * perSecond);
    bucket.filledAt = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > maxClients) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return bucket;
  }
}

/** A client of IPv6 has as many addresses as it likes: its /64 counts. */
function clientKey(client: IpAddress): string {
  return client.family === 4 ? `4 ${client.w3}` : `6 ${client.w0} ${client.w1}`;
}
