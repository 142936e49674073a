/**
 * The base provider's multipoint call: WSPJoinLeaf makes a leaf of an IP multicast session (SEM-MP-02, SEM-MP-03). IP's planes have
 * no root, so every socket here is a leaf, and the socket itself is what joins.
 */

import {
  JL_BOTH,
  JL_RECEIVER_ONLY,
  JL_SENDER_ONLY,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAEPROTONOSUPPORT,
  XP1_SUPPORT_MULTIPOINT,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import { AfdOp } from '../port/index.ts';
import { type BaseState, readable } from './base-state.ts';
import { wantsResources } from './flow.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import { MULTIPOINT_FLAGS } from './socket-flags.ts';
import type { Answer } from './types.ts';

export function baseMultipointCalls(base: BaseState): Pick<WSPPROC_TABLE, 'WSPJoinLeaf'> {
  return {
    WSPJoinLeaf(s, name, namelen, lpCallerData, lpCalleeData, lpSQOS, _lpGQOS, dwFlags): Answer {
      const socket = base.sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      const address = readable(name, namelen);
      if (address === null) return -WSAEFAULT;
      if (base.profile === 'windows-mobile') return -WSAEOPNOTSUPP; // WM-02
      if ((socket.info.dwServiceFlags1 & XP1_SUPPORT_MULTIPOINT) === 0) return -WSAEOPNOTSUPP;
      if ((socket.flags & MULTIPOINT_FLAGS) === 0) return -WSAEINVAL;
      if (dwFlags !== JL_SENDER_ONLY && dwFlags !== JL_RECEIVER_ONLY && dwFlags !== JL_BOTH)
        return -WSAEINVAL;
      if (lpCallerData !== null && lpCallerData.length > 0) return -WSAEPROTONOSUPPORT;
      if (lpCalleeData !== null) lpCalleeData.value = EMPTY;
      if (wantsResources(lpSQOS)) return -WSAEOPNOTSUPP;
      const call = base.calls.prepare(AfdOp.joinLeaf, socket, (_call, { error }) =>
        error === 0 ? s : -error,
      );
      call.request.address = address;
      call.request.a = dwFlags;
      return base.calls.submit(call);
    },
  };
}
