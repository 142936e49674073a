/**
 * base: leaf helpers that every room may use and that use no room.
 *
 * - `bytes` readers and writers in both byte orders, `seq` 32-bit sequence arithmetic, `address` internet and Ethernet
 *   addresses with their text forms;
 * - `frames` the batches in which frames cross between links and stacks;
 * - `memory` and `ring` buffers over memory that is handed in, `views` for copies that leave no garbage, `timers` one queue for all of a stack's timers;
 * - `clock` and `random` the interfaces through which time and chance are handed in, `assert` for our own bugs.
 *
 * Nothing here reads the machine's clock or chance, or knows Node.
 */

export * from './address.ts';
export * from './any-value.ts';
export * from './assert.ts';
export * from './bytes.ts';
export * from './clock.ts';
export * from './frames.ts';
export * from './memory.ts';
export * from './random.ts';
export * from './ring.ts';
export * from './seq.ts';
export * from './timers.ts';
export * from './views.ts';
