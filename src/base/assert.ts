/**
 * Errors that mean a bug of ours, as opposed to bad traffic (`DropReason`) or a failed call (a Winsock code).
 */

/** An invariant of the project did not hold. Never caused by input; always worth a report. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** @throws {InvariantError} when `condition` is false. Not for the packet path. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
