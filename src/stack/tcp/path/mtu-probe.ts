/**
 * What a search for the path's MTU (`mtu-search.ts`) remembers: what gets through, what does not, and the probe that is out.
 */

import { seqLeq, seqLt } from '../../../base/index.ts';
import type { Path } from '../../host.ts';
import { LEAST_PATH_MTU } from '../../ip/path.ts';
import { LEAST_MTU_V6 } from '../../ip/too-big.ts';

/** RFC 8899 §5.1.2 BASE_PLPMTU over IPv4: what nearly every path carries. */
const BASE_PLPMTU_V4 = 1200;
/** The search ends when less is left to gain, bytes. */
const GRAIN = 8;

/** RFC 8899 §5.1.2 BASE_PLPMTU: over IPv6 what every link carries (RFC 8200 §5). */
export function basePlpmtu(path: Path): number {
  return path.source.family === 4 ? BASE_PLPMTU_V4 : LEAST_MTU_V6;
}

/** RFC 8899 §5.1.2 MIN_PLPMTU: packets are not made smaller than this, whatever is lost. */
export function leastPlpmtu(path: Path): number {
  return path.source.family === 4 ? LEAST_PATH_MTU : LEAST_MTU_V6;
}

/** A search that is under way, sizes of IP packets in bytes. */
export class MtuSearch {
  /** What gets through: PLPMTU. */
  plpmtu: number;
  /** The largest that is not ruled out. */
  maxPlpmtu: number;
  /** Whether the largest may have been lost: then the search halves instead of trying it first. */
  isSuspect: boolean;
  /** Whether one more than the largest is known to be lost. */
  isEdge = false;
  /** PROBED_SIZE of the probe that is out, 0 when none is; and where its text is. */
  probedSize = 0;
  probeStart = 0;
  probeEnd = 0;
  isProbeLost = false;
  /** PROBE_COUNT: probes of one size that were lost. */
  probeCount = 0;
  readonly #base: number;
  readonly #least: number;

  constructor(path: Path, plpmtu: number, maxPlpmtu: number, isSuspect: boolean) {
    this.#base = basePlpmtu(path);
    this.#least = leastPlpmtu(path);
    this.plpmtu = plpmtu;
    this.maxPlpmtu = maxPlpmtu;
    this.isSuspect = isSuspect;
  }

  /** RFC 8899 §5.2 ERROR: packets may be cut. Not so over IPv6, which has no routers that cut, and nothing below BASE_PLPMTU. */
  get isError(): boolean {
    return this.plpmtu <= this.#least && this.#least < this.#base;
  }

  /** Whether too little is left to gain; the largest itself is tried before that is said. */
  get isComplete(): boolean {
    return this.plpmtu >= this.maxPlpmtu || (this.isEdge && this.maxPlpmtu - this.plpmtu < GRAIN);
  }

  /** The next size to try. */
  get candidate(): number {
    const { plpmtu, maxPlpmtu } = this;
    if (!this.isSuspect || (!this.isEdge && maxPlpmtu - plpmtu <= GRAIN)) return maxPlpmtu;
    if (plpmtu < this.#base && this.#base < maxPlpmtu) return this.#base;
    return (plpmtu + maxPlpmtu + 1) >> 1;
  }

  /** The text from `start` to `end` was given up. @returns whether it is the probe's, whose loss is no congestion */
  giveUp(start: number, end: number): boolean {
    const isProbe = this.holds(start, end);
    if (isProbe) this.isProbeLost = true;
    return isProbe;
  }

  /** Whether this is text of the probe that is out. */
  holds(start: number, end: number): boolean {
    return this.probedSize > 0 && !seqLt(start, this.probeStart) && seqLeq(end, this.probeEnd);
  }
}
