/**
 * The bytes of the socket below, by overlapped calls: they wait whatever the socket's mode and time limits are, and end with it.
 */

import { WSA_OPERATION_ABORTED, WSAECONNABORTED } from '../../abi/index.ts';
import { type Answer, PrivateRecord, type WSAOVERLAPPED, type WSPPROC_TABLE } from '../../spi/index.ts';
import type { Pipe } from './contract.ts';
import { settled } from './operations.ts';

/** Ends an operation below. */
type CancelBelow = (s: number, record: WSAOVERLAPPED) => unknown;

export class LowerPipe implements Pipe {
  readonly #next: WSPPROC_TABLE;
  readonly #s: number;
  readonly #cancel: CancelBelow;
  /** What waits below. */
  readonly #waiting = new Set<WSAOVERLAPPED>();
  #isOver = false;

  constructor(next: WSPPROC_TABLE, s: number, cancel: CancelBelow) {
    this.#next = next;
    this.#s = s;
    this.#cancel = cancel;
  }

  /** The connection is over: its handle may be another socket's by now, so that nothing goes down any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const record of [...this.#waiting]) this.#cancel(this.#s, record);
  }

  read(into: Uint8Array): Promise<number> {
    return this.#make((record) => this.#next.WSPRecv(this.#s, [into], 1, { value: 0 }, record, null, null));
  }

  async write(bytes: Uint8Array): Promise<number> {
    let at = 0;
    while (at < bytes.length) {
      const part = bytes.subarray(at);
      const sent = await this.#make((record) =>
        this.#next.WSPSend(this.#s, [part], 1, 0, record, null, null),
      );
      if (sent < 0) return sent;
      if (sent === 0) return -WSAECONNABORTED;
      at += sent;
    }
    return 0;
  }

  async #make(call: (record: WSAOVERLAPPED) => Answer): Promise<number> {
    if (this.#isOver) return -WSA_OPERATION_ABORTED;
    const record = new PrivateRecord();
    this.#waiting.add(record);
    const answer = await settled(record, call(record));
    this.#waiting.delete(record);
    return answer;
  }
}
