/**
 * engine: what lets a stack live. It binds a `Stack` to its links, to a clock and to whoever calls it.
 *
 * - {@link Driver}: takes frames from the links to the stack and back, in batches; runs the stack's timers; gives its
 *   events to the observer. It knows time only as a `Scheduler`, and so serves virtual time (`sim`) too.
 * - {@link createHost}: a stack with its driver and links, on {@link RealTime} and {@link SystemRandom}.
 * - {@link FrameTap}: sees every frame with its verdict, owner and cause; {@link CaptureRecorder} writes them as pcapng.
 *
 * A turn (input, timers, output until there is none, events, again while there is work) is bounded, so the event loop stays
 * responsive; a link that is full is left alone until it has drained. A call on an endpoint is followed by one turn, however
 * many calls were made. Nothing here imports a module of Node: it uses what browsers have too.
 *
 *     const host = createHost({ links: [{ link, addresses: ['10.0.0.2/24'], gateway: '10.0.0.1' }], observer });
 *     host.stack.openTcp().connect(address, 80);
 *     host.close();
 */

export {
  CaptureRecorder,
  describeOwner,
  inboundComment,
  outboundComment,
  type RecorderOptions,
} from './capture-recorder.ts';
export { RealTime, type RealTimeOptions } from './clock.ts';
export { type AttachOptions, Driver, type DriverOptions } from './driver.ts';
export { createHost, type HostLink, type HostOptions, type RunningHost } from './host.ts';
export { SystemRandom } from './random.ts';
export type { FrameTap } from './tap.ts';
