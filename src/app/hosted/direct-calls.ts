/**
 * Operations of a provider host's application on sockets without layers, told to who watches it: they reach no provider of this process,
 * and are shown as the calls that a base provider would have made of them.
 */

import type { WSAPROTOCOL_INFO } from '../../abi/index.ts';
import { AFD_NO_WAIT, AFD_OVERLAPPED, type AfdCompletion, AfdOp, type AfdRequest } from '../../port/index.ts';
import {
  type CallWatcher,
  DEFAULT_CATALOG,
  type ProviderCall,
  type Ref,
  type WatchedProvider,
} from '../../spi/index.ts';

/** Longest sockaddr that an answer can have. */
const ADDRESS_ROOM = 128;
const FLAG_BITS = AFD_OVERLAPPED | AFD_NO_WAIT;

const PROVIDER: WatchedProvider = {
  name: 'MSAFD base provider',
  path: '',
  chain: { ...(DEFAULT_CATALOG[0] as WSAPROTOCOL_INFO), szProtocol: 'without layers' },
  depth: 0,
};

/** An operation as a call, and where its answer goes. */
interface DirectCall {
  readonly call: ProviderCall;
  readonly args: readonly unknown[];
  readonly name?: Uint8Array;
  readonly nameLength?: Ref;
  readonly flags?: Ref;
  /** Takes the length of what was written. */
  readonly length?: Ref;
}

/** Tells of an operation that begins now. @returns what is told of its end; `null` when it is none that is shown */
export function watchDirect(
  watcher: CallWatcher,
  request: AfdRequest,
): ((completion: AfdCompletion) => void) | null {
  const direct = callOf(request);
  if (direct === null) return null;
  let settle: (answer: number) => void = () => {};
  const answer = new Promise<number>((resolve) => {
    settle = resolve;
  });
  void watcher.watch(PROVIDER, direct.call, direct.args, () => answer);
  return ({ error, value, flags, address }) => {
    const { name, nameLength, length } = direct;
    if (address !== null && name !== undefined && nameLength !== undefined) {
      name.set(address.subarray(0, ADDRESS_ROOM));
      nameLength.value = Math.min(address.length, ADDRESS_ROOM);
    }
    if (direct.flags !== undefined) direct.flags.value = flags;
    if (length !== undefined) length.value = value;
    settle(error === 0 ? value : -error);
  };
}

function callOf({ op, descriptor: s, flags: all, a, b, address, data, into }: AfdRequest): DirectCall | null {
  const flags = all & ~FLAG_BITS;
  const namelen = address === null ? 0 : address.length;
  switch (op) {
    case AfdOp.socket:
      return { call: 'WSPSocket', args: [a, b, flags, null, 0, 0] };
    case AfdOp.close:
      return { call: 'WSPCloseSocket', args: [s] };
    case AfdOp.bind:
      return { call: 'WSPBind', args: [s, address, namelen] };
    case AfdOp.listen:
      return { call: 'WSPListen', args: [s, a] };
    case AfdOp.connect:
      return { call: 'WSPConnect', args: [s, address, namelen, null, null, null, null] };
    case AfdOp.shutdown:
      return { call: 'WSPShutdown', args: [s, a] };
    case AfdOp.send: {
      // Behind the control data of WSASendMsg.
      const message = data?.subarray(Math.max(a, 0)) ?? null;
      if (address === null) return { call: 'WSPSend', args: [s, [message], 1, flags, null, null, null] };
      return { call: 'WSPSendTo', args: [s, [message], 1, flags, address, namelen, null, null, null] };
    }
    case AfdOp.recv: {
      const [name, nameLength, out] = [new Uint8Array(ADDRESS_ROOM), { value: 0 }, { value: flags }];
      const room = into?.subarray(Math.max(a, 0)) ?? null;
      const args = [s, [room], 1, out, name, nameLength, null, null, null];
      return { call: 'WSPRecvFrom', args, name, nameLength, flags: out };
    }
    case AfdOp.accept: {
      const [name, nameLength] = [new Uint8Array(ADDRESS_ROOM), { value: 0 }];
      return { call: 'WSPAccept', args: [s, name, nameLength, null, 0], name, nameLength };
    }
    case AfdOp.getSockName:
    case AfdOp.getPeerName: {
      const [name, nameLength] = [new Uint8Array(ADDRESS_ROOM), { value: 0 }];
      const call = op === AfdOp.getSockName ? 'WSPGetSockName' : 'WSPGetPeerName';
      return { call, args: [s, name, nameLength], name, nameLength };
    }
    case AfdOp.getOption: {
      const length = { value: into?.length ?? 0 };
      return { call: 'WSPGetSockOpt', args: [s, a, b, into, length], length };
    }
    case AfdOp.setOption:
      return { call: 'WSPSetSockOpt', args: [s, a, b, data, data?.length ?? 0] };
    case AfdOp.ioctl:
      return {
        call: 'WSPIoctl',
        args: [s, a, data, data?.length ?? 0, into, into?.length ?? 0, null, null, null],
      };
    default:
      return null;
  }
}
