/**
 * afd: the sockets behind `AfdPort`, named after the driver that does the same on Windows.
 *
 *     const stack = createStack({ …, observer: observeEndpoint });
 *     const afd = createAfd({ stack, scheduler, random, policy: EMBEDDED_POLICY });
 *     const port = afd.openSession({ pid, uid, gid });
 *
 * A *session* is a process; it holds *descriptors* of counted *endpoints*, each over one endpoint of the stack. A request ends at
 * once or pends; it completes once, in the order that Winsock prescribes, and never takes the room's state apart: completions are
 * delivered when the outermost call is about to return, sessions by turns, and a session that throws harms nobody. What is legal
 * when, and with which WSA code otherwise, is decided here for every way in.
 *
 * Ownership: a request's buffers are borrowed until it completes; the request object itself only until `submit` returns. The
 * completion of a request that ended at once, and what it refers to, is good until the next call; that of one that pended until
 * `onComplete` returns.
 */

export { type Afd, type AfdOptions, createAfd } from './afd.ts';
export { observeEndpoint } from './endpoint.ts';
export { EVENT_RULES, type EventRule } from './events.ts';
export { type AfdLimits, type AfdPolicy, DAEMON_POLICY, DEFAULT_LIMITS, EMBEDDED_POLICY } from './policy.ts';
export {
  checkSockaddr,
  MAX_BACKLOG,
  normalizeBacklog,
  SocketState,
  STREAM_RULES,
  selectSocket,
} from './socket-state.ts';
export type { AfdSessionView, SocketView } from './views.ts';
