/**
 * link: where frames come from and go to.
 *
 * A {@link Link} takes batches of frames (`transmit`) and gives batches to the {@link LinkReceiver} that opened it. Frames
 * are borrowed in both directions: what a link must keep (for delay, for a full device) it copies. `transmit` takes every
 * frame of a batch; when it answers `false` the caller holds back until `drained`. A link never calls its receiver from
 * inside `transmit`. Bounds are bounds: what does not fit is counted in `dropped`, and lost.
 *
 * - {@link MemorySegment}: a wire in this process with as many ports as there are hosts, a switch among them;
 * - {@link LoopbackLink}: gives back what it is given;
 * - {@link ImpairedLink}: decorates any link with loss, delay, jitter, reordering, duplication, corruption and rate;
 * - {@link FuzzedLink}: decorates any link with mutated frames, for robustness tests;
 * - {@link LinkDecorator}: what decorators share.
 *
 * Nothing here needs Node. The links over TUN and TAP devices do, and are a subroom of their own, `link/device`.
 *
 * Time and chance are handed in, so all of it runs in virtual time too:
 *
 *     const wire = new MemorySegment({ scheduler, mtu: 1500 });
 *     const link = new ImpairedLink({ link: wire.port(), scheduler, random, outbound: { loss: 0.02, delay: 25 } });
 *     driver.attach(link, { addresses: ['10.0.0.1/24'] });
 */

export { LinkDecorator } from './decorator.ts';
export { FuzzedLink, type FuzzOptions } from './fuzz.ts';
export { ImpairedLink, type ImpairOptions } from './impair.ts';
export type { BurstLoss, FullSettings, ImpairSettings } from './impair-settings.ts';
export type { InboxLimits } from './inbox.ts';
export type { ImpairCounters, ImpairFilter, ImpairLane } from './lane.ts';
export type { Link, LinkReceiver } from './link.ts';
export { LoopbackLink, type LoopbackOptions } from './loopback.ts';
export { MemorySegment, type PortOptions, type SegmentOptions, type SegmentTap } from './memory.ts';
