/**
 * All timers of a stack in one queue of numbers, none of them an object of the event loop.
 *
 * A timer is a small integer handle that lives as long as its owner wants. Arming it for later than it is filed only
 * writes the new deadline, and the timer is filed anew when its old time comes up: TCP re-arms on every ACK and almost
 * never lets a timer run out. Only arming for *earlier* moves it in the heap.
 */

/** What runs when a timer is due. `kind` is the number given at creation. */
export interface TimerOwner {
  timeout(kind: number, now: number): void;
}

const NOT_FILED = -1;
/** Children a node of the heap: four keep it flat, and lie in one cache line. */
const ARITY_SHIFT = 2;

export class TimerQueue {
  /** By handle. */
  #owners: (TimerOwner | null)[] = [];
  #kinds: number[] = [];
  #deadlines = new Float64Array(64);
  #filedAt = new Float64Array(64);
  #place = new Int32Array(64);
  #unusedHandles: number[] = [];
  /** The heap: handles, earliest `#filedAt` first. */
  #heap = new Int32Array(64);
  #size = 0;

  /** A new timer, not armed. */
  create(owner: TimerOwner, kind: number): number {
    const handle = this.#unusedHandles.pop() ?? this.#owners.length;
    if (handle >= this.#deadlines.length) this.#grow();
    this.#owners[handle] = owner;
    this.#kinds[handle] = kind;
    this.#deadlines[handle] = Number.POSITIVE_INFINITY;
    this.#place[handle] = NOT_FILED;
    return handle;
  }

  /** Ends a timer's life; its handle may be given to another. */
  destroy(handle: number): void {
    const place = this.#place[handle] as number;
    if (place !== NOT_FILED) this.#remove(place);
    this.#owners[handle] = null;
    this.#deadlines[handle] = Number.POSITIVE_INFINITY;
    this.#unusedHandles.push(handle);
  }

  /** Arms for `deadline` (absolute ms), whatever it was armed for before. */
  arm(handle: number, deadline: number): void {
    this.#deadlines[handle] = deadline;
    const place = this.#place[handle] as number;
    if (place === NOT_FILED) {
      this.#filedAt[handle] = deadline;
      this.#siftUp(this.#size++, handle);
    } else if (deadline < (this.#filedAt[handle] as number)) {
      this.#filedAt[handle] = deadline;
      this.#siftUp(place, handle);
    }
  }

  /** Disarms. Stays filed until its time comes up, so that arming it again costs nothing. */
  disarm(handle: number): void {
    this.#deadlines[handle] = Number.POSITIVE_INFINITY;
  }

  isArmed(handle: number): boolean {
    return this.#deadlines[handle] !== Number.POSITIVE_INFINITY;
  }

  /** The absolute deadline, `Infinity` when not armed. */
  deadlineOf(handle: number): number {
    return this.#deadlines[handle] as number;
  }

  /** When {@link run} next has something to do; may be early (a timer that moved), never late. `Infinity`: never. */
  get next(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#filedAt[this.#heap[0] as number] as number);
  }

  /** Runs, in order of their deadlines, the timers that are due at `now`; each is disarmed before its owner is called. */
  run(now: number): void {
    while (this.#size > 0) {
      const handle = this.#heap[0] as number;
      if ((this.#filedAt[handle] as number) > now) return;
      const deadline = this.#deadlines[handle] as number;
      // It moved later since it was filed: even when it is due, others may be due before it.
      if (deadline > (this.#filedAt[handle] as number)) {
        if (deadline === Number.POSITIVE_INFINITY) {
          this.#remove(0);
        } else {
          this.#filedAt[handle] = deadline;
          this.#siftDown(0, handle);
        }
        continue;
      }
      this.#remove(0);
      this.#deadlines[handle] = Number.POSITIVE_INFINITY;
      this.#owners[handle]?.timeout(this.#kinds[handle] as number, now);
    }
  }

  #remove(place: number): void {
    this.#place[this.#heap[place] as number] = NOT_FILED;
    this.#size--;
    if (place === this.#size) return;
    const last = this.#heap[this.#size] as number;
    this.#siftUp(place, last);
    this.#siftDown(this.#place[last] as number, last);
  }

  #siftUp(from: number, handle: number): void {
    const heap = this.#heap;
    const filedAt = this.#filedAt;
    const key = filedAt[handle] as number;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> ARITY_SHIFT;
      const above = heap[parent] as number;
      if ((filedAt[above] as number) <= key) break;
      heap[place] = above;
      this.#place[above] = place;
      place = parent;
    }
    heap[place] = handle;
    this.#place[handle] = place;
  }

  #siftDown(from: number, handle: number): void {
    const heap = this.#heap;
    const filedAt = this.#filedAt;
    const key = filedAt[handle] as number;
    let place = from;
    for (;;) {
      const first = (place << ARITY_SHIFT) + 1;
      if (first >= this.#size) break;
      let least = first;
      const end = Math.min(first + (1 << ARITY_SHIFT), this.#size);
      for (let child = first + 1; child < end; child++) {
        if ((filedAt[heap[child] as number] as number) < (filedAt[heap[least] as number] as number))
          least = child;
      }
      const below = heap[least] as number;
      if ((filedAt[below] as number) >= key) break;
      heap[place] = below;
      this.#place[below] = place;
      place = least;
    }
    heap[place] = handle;
    this.#place[handle] = place;
  }

  #grow(): void {
    const size = this.#deadlines.length * 2;
    const enlarge = <T extends Float64Array | Int32Array>(from: T, into: T): T => {
      into.set(from);
      return into;
    };
    this.#deadlines = enlarge(this.#deadlines, new Float64Array(size));
    this.#filedAt = enlarge(this.#filedAt, new Float64Array(size));
    this.#place = enlarge(this.#place, new Int32Array(size));
    this.#heap = enlarge(this.#heap, new Int32Array(size));
  }
}
