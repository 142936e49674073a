/**
 * How much a connection holds.
 */

/** Bytes that wait in each direction; a reader or writer who is late holds up the peer or the application from there on. */
export const QUEUE_LIMIT = 0x1_0000;
/** Bytes that go through the codec at a time: what a TLS record carries at most. */
export const CHUNK = 0x4000;
