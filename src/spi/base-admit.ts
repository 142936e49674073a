/**
 * How descriptors become sockets of the base provider and stop being them, and how addresses reach the caller's memory.
 */

import { WSAEFAULT } from '../abi/index.ts';
import { type AfdCompletion, AfdOp } from '../port/index.ts';
import type { Call } from './base-call.ts';
import { watch } from './base-event-calls.ts';
import { BaseSocket, type Made } from './base-sockets.ts';
import type { BaseState } from './base-state.ts';
import type { Ref } from './types.ts';

/** `flags` of a close that resets the connection. */
const CLOSE_ABORTIVE = 1;

/** Gives a descriptor its handle; without one it is closed again. @returns the SOCKET */
export function admit(base: BaseState, descriptor: number, made: Made): number {
  const handle = base.upcalls.WPUModifyIFSHandle(made.info.dwCatalogEntryId, 0);
  if (handle < 0) dropDescriptor(base, descriptor);
  else base.sockets.add(new BaseSocket(handle, descriptor, made));
  return handle;
}

/** An accepted connection's socket: it has the listener's event registration too (SEM-ACC-02). @returns the SOCKET */
export function admitAccepted(base: BaseState, listener: BaseSocket, descriptor: number): number {
  const handle = admit(base, descriptor, listener);
  const accepted = base.sockets.get(handle);
  if (accepted !== undefined && listener.registration !== null) {
    accepted.registration = listener.registration;
    watch(base, accepted);
  }
  return handle;
}

/** Resets a descriptor that has no handle; nobody waits for it. */
function dropDescriptor(base: BaseState, descriptor: number): void {
  const call = base.calls.prepare(AfdOp.close, null);
  call.request.descriptor = descriptor;
  call.request.flags = CLOSE_ABORTIVE;
  base.calls.begin(call, () => {});
}

/** getsockname and getpeername look at the caller's memory last, and leave the length alone when it is short. */
export function finishName(call: Call, completion: AfdCompletion): number {
  if (completion.error !== 0) return -completion.error;
  const { name, nameLength } = call;
  const address = completion.address;
  if (name === null || nameLength === null || address === null) return -WSAEFAULT;
  if (!(nameLength.value <= name.length && nameLength.value >= address.length)) return -WSAEFAULT;
  putName(address, name, nameLength);
  return 0;
}

/** Writes as much of a sockaddr as there is room for, and its true length. */
export function putName(address: Uint8Array, name: Uint8Array | null, length: Ref | null): void {
  if (name === null) return;
  name.set(address.length <= name.length ? address : address.subarray(0, name.length));
  if (length !== null) length.value = address.length;
}
