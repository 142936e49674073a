/**
 * What happened to endpoints, gathered while packets are worked on and told to the observer afterwards, never from inside
 * `input`.
 */

import type { EventSource } from './host.ts';

/** Endpoints to which something happened, in the order in which it first did. */
export class EventQueue {
  #waiting: EventSource[] = [];
  #told: EventSource[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Adds `events` to those of `endpoint`. Costs no allocation once the queue has grown to its working size. */
  add(endpoint: EventSource, events: number): void {
    if (endpoint.pendingEvents === 0) this.#waiting.push(endpoint);
    endpoint.pendingEvents |= events;
  }

  /**
   * Hands each endpoint's events to `observer`, once. What happens during that is kept for the next flush, so that an
   * observer that makes work for itself does not keep the driver here for ever.
   */
  flush(observer: (endpoint: EventSource, events: number) => void): void {
    const batch = this.#waiting;
    this.#waiting = this.#told;
    this.#told = batch;
    let told = 0;
    try {
      while (told < batch.length) {
        const endpoint = batch[told++] as EventSource;
        const events = endpoint.pendingEvents;
        endpoint.pendingEvents = 0;
        if (events !== 0) observer(endpoint, events);
      }
    } finally {
      // An observer that throws loses its own event only: the others are told next time.
      for (; told < batch.length; told++) this.#waiting.push(batch[told] as EventSource);
      batch.length = 0;
    }
  }
}
