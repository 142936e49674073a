/**
 * The flags of WSASocket: which exist, and which a protocol can have (SEM-MP-01).
 */

import {
  WSA_FLAG_ACCESS_SYSTEM_SECURITY,
  WSA_FLAG_MULTIPOINT_C_LEAF,
  WSA_FLAG_MULTIPOINT_C_ROOT,
  WSA_FLAG_MULTIPOINT_D_LEAF,
  WSA_FLAG_MULTIPOINT_D_ROOT,
  WSA_FLAG_NO_HANDLE_INHERIT,
  WSA_FLAG_OVERLAPPED,
  WSA_FLAG_REGISTERED_IO,
  WSAEACCES,
  WSAEINVAL,
  type WSAPROTOCOL_INFO,
  XP1_MULTIPOINT_CONTROL_PLANE,
  XP1_MULTIPOINT_DATA_PLANE,
  XP1_SUPPORT_MULTIPOINT,
} from '../abi/index.ts';
import type { BehaviorProfile } from '../port/index.ts';

const CONTROL_PLANE = WSA_FLAG_MULTIPOINT_C_ROOT | WSA_FLAG_MULTIPOINT_C_LEAF;
const DATA_PLANE = WSA_FLAG_MULTIPOINT_D_ROOT | WSA_FLAG_MULTIPOINT_D_LEAF;
/** All flags of a multipoint socket. */
export const MULTIPOINT_FLAGS = CONTROL_PLANE | DATA_PLANE;
const KNOWN =
  WSA_FLAG_OVERLAPPED |
  MULTIPOINT_FLAGS |
  WSA_FLAG_ACCESS_SYSTEM_SECURITY |
  WSA_FLAG_NO_HANDLE_INHERIT |
  WSA_FLAG_REGISTERED_IO;

/** What is wrong with the flags for a socket of `entry`; 0: nothing. */
export function checkSocketFlags(entry: WSAPROTOCOL_INFO, flags: number, profile: BehaviorProfile): number {
  if ((flags & ~KNOWN) !== 0) return WSAEINVAL;
  if (profile === 'windows-mobile' && (flags & MULTIPOINT_FLAGS) !== 0) return WSAEINVAL; // WM-02
  const error = checkMultipoint(entry.dwServiceFlags1, flags);
  if (error !== 0) return error;
  // The right to see a socket's audit list, which nobody has here.
  return (flags & WSA_FLAG_ACCESS_SYSTEM_SECURITY) !== 0 ? WSAEACCES : 0;
}

function checkMultipoint(service: number, flags: number): number {
  if ((flags & MULTIPOINT_FLAGS) === 0) return 0;
  if ((service & XP1_SUPPORT_MULTIPOINT) === 0) return WSAEINVAL;
  const control = flags & CONTROL_PLANE;
  const data = flags & DATA_PLANE;
  // One of each, not both.
  if (control === 0 || control === CONTROL_PLANE || data === 0 || data === DATA_PLANE) return WSAEINVAL;
  if (control === WSA_FLAG_MULTIPOINT_C_ROOT && (service & XP1_MULTIPOINT_CONTROL_PLANE) === 0)
    return WSAEINVAL;
  return data === WSA_FLAG_MULTIPOINT_D_ROOT && (service & XP1_MULTIPOINT_DATA_PLANE) === 0 ? WSAEINVAL : 0;
}
