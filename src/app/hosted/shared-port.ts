/**
 * One session's port for two: the base provider of the host's process, and the host itself, which passes on what needs no layer.
 * Both see the same descriptors; each chooses its own request ids.
 */

import {
  type AfdCompletion,
  AfdOp,
  type AfdPort,
  type AfdRequest,
  type BehaviorProfile,
} from '../../port/index.ts';

/** A request under way, as the port below knows it. */
export class SharedCall implements AfdRequest {
  id = 0;
  op: AfdOp = AfdOp.socket;
  descriptor = 0;
  flags = 0;
  a = 0;
  b = 0;
  address: Uint8Array | null = null;
  data: Uint8Array | null = null;
  into: Uint8Array | null = null;
  /** Takes the completion; its `id` is the port's, not the caller's. */
  settle: (completion: AfdCompletion) => void = ignore;
  onPend: () => void = ignore;
}

export class SharedPort {
  /** The base provider's half. */
  readonly base: AfdPort;
  readonly #port: AfdPort;
  readonly #calls = new Map<number, SharedCall>();
  #lastId = 0;
  /** Filled for the next request; one that pends is kept. */
  #inHand = new SharedCall();
  /** Another that can be filled. */
  #spare: SharedCall | null = null;

  constructor(port: AfdPort) {
    this.#port = port;
    port.onComplete = (completion) => this.#completed(completion);
    port.onPend = (id) => this.#calls.get(id)?.onPend();
    this.base = new BaseHalf(this, port.profile ?? 'windows');
  }

  get announcesPending(): boolean {
    return this.#port.announcesPending === true;
  }

  /**
   * Starts a request.
   * @returns its completion when it ended at once, good until the next request; else the call, which is told to `settle`
   */
  begin(
    request: AfdRequest,
    settle: (completion: AfdCompletion) => void,
    onPend: () => void = ignore,
  ): AfdCompletion | SharedCall {
    const call = this.#inHand;
    do this.#lastId = this.#lastId >= LAST_ID ? 1 : this.#lastId + 1;
    while (this.#calls.has(this.#lastId));
    call.id = this.#lastId;
    call.op = request.op;
    call.descriptor = request.descriptor;
    call.flags = request.flags;
    call.a = request.a;
    call.b = request.b;
    call.address = request.address;
    call.data = request.data;
    call.into = request.into;
    // What is completed meanwhile may start requests of its own.
    this.#inHand = this.#spare ?? new SharedCall();
    this.#spare = null;
    const done = this.#port.submit(call);
    if (done !== null) {
      this.#spare = call;
      return done;
    }
    call.settle = settle;
    call.onPend = onPend;
    this.#calls.set(call.id, call);
    return call;
  }

  cancel(call: SharedCall): void {
    if (this.#calls.get(call.id) === call) this.#port.cancel(call.id);
  }

  close(): void {
    this.#calls.clear();
    this.#port.close();
  }

  #completed(completion: AfdCompletion): void {
    const call = this.#calls.get(completion.id);
    if (call === undefined) return;
    this.#calls.delete(completion.id);
    call.settle(completion);
  }
}

/** Ids stay below those that questions about names use, which come from the other end. */
const LAST_ID = 0x3fff_ffff;

class BaseHalf implements AfdPort {
  readonly profile: BehaviorProfile;
  onComplete: (completion: AfdCompletion) => void = ignore;
  onPend: (id: number) => void = ignore;
  readonly #shared: SharedPort;
  readonly #calls = new Map<number, SharedCall>();

  constructor(shared: SharedPort, profile: BehaviorProfile) {
    this.#shared = shared;
    this.profile = profile;
  }

  get announcesPending(): boolean {
    return this.#shared.announcesPending;
  }

  submit(request: AfdRequest): AfdCompletion | null {
    const { id } = request;
    const begun = this.#shared.begin(
      request,
      (completion) => {
        this.#calls.delete(id);
        this.onComplete({ ...completion, id });
      },
      () => this.onPend(id),
    );
    if (!(begun instanceof SharedCall)) return { ...begun, id };
    this.#calls.set(id, begun);
    return null;
  }

  cancel(id: number): void {
    const call = this.#calls.get(id);
    if (call !== undefined) this.#shared.cancel(call);
  }

  close(): void {
    for (const call of [...this.#calls.values()]) this.#shared.cancel(call);
  }
}

function ignore(): void {}
