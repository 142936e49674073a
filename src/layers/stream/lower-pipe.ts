/**
 * The bytes of the socket below, by overlapped calls: they wait whatever the socket's mode and time limits are, and end with it.
 */

import { STATUS_PENDING, WSA_IO_PENDING, WSAECONNABORTED, wsaOfNtStatus } from '../../abi/index.ts';
import { type Answer, type WSAOVERLAPPED, type WSPPROC_TABLE, whenDone } from '../../spi/index.ts';
import type { Pipe } from './contract.ts';

/** The low bit of a record's event: no packet at a completion port, which is the application's (SEM-OV-03). */
const NO_PACKET = 1;

export class LowerPipe implements Pipe {
  readonly #next: WSPPROC_TABLE;
  readonly #s: number;

  constructor(next: WSPPROC_TABLE, s: number) {
    this.#next = next;
    this.#s = s;
  }

  read(into: Uint8Array): Promise<number> {
    const flags = { value: 0 };
    return settled((record) => this.#next.WSPRecv(this.#s, [into], 1, flags, record, null, null));
  }

  async write(bytes: Uint8Array): Promise<number> {
    let at = 0;
    while (at < bytes.length) {
      const part = bytes.subarray(at);
      const sent = await settled((record) => this.#next.WSPSend(this.#s, [part], 1, 0, record, null, null));
      if (sent < 0) return sent;
      if (sent === 0) return -WSAECONNABORTED;
      at += sent;
    }
    return 0;
  }
}

/** Makes an overlapped call and waits for its end. @returns the bytes, or minus a WSA code */
async function settled(call: (record: WSAOVERLAPPED) => Answer): Promise<number> {
  const record: WSAOVERLAPPED = {
    Internal: 0,
    InternalHigh: 0,
    Offset: 0,
    OffsetHigh: 0,
    hEvent: NO_PACKET,
  };
  const answer = await call(record);
  if (answer !== -WSA_IO_PENDING) return answer;
  if (record.Internal === STATUS_PENDING) return whenDone(record);
  const code = wsaOfNtStatus(record.Internal);
  return code === 0 ? record.InternalHigh : -code;
}
