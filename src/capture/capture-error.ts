/** A capture that cannot be read on. */

/** Why reading ended. */
export type CaptureFault =
  /** It ends inside a block: cut short, or still being written. All packets before were read. */
  | 'truncated'
  /** It is no capture, or one of a version that is not known. */
  | 'not-a-capture'
  /** A length, number or order in it cannot be. */
  | 'malformed';

export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly fault: CaptureFault;
  /** Where in the file, bytes. */
  readonly offset: number;

  constructor(fault: CaptureFault, offset: number, message: string) {
    super(`${message} (at byte ${offset})`);
    this.fault = fault;
    this.offset = offset;
  }
}
