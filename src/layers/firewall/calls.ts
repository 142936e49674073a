/**
 * The layer's calls: what an application is about to do is decided before it is done.
 *
 * | call | decided as | denied |
 * |---|---|---|
 * | WSPConnect, ConnectEx, WSPJoinLeaf | connect; of datagrams send | WSAEACCES |
 * | WSPSendTo, WSASendMsg | send | WSAEACCES |
 * | WSPListen; WSPBind of datagrams to a port | listen | WSAEACCES |
 * | WSPAccept | accept | the peer is reset, and the call goes on to the next one |
 * | AcceptEx | accept | the peer is reset; what it sent with its connection is wiped, and the socket answers WSAECONNRESET |
 *
 * A redirect writes another destination into the call. WSPGetPeerName goes on telling the one that was asked for, as long as the
 * socket lives; the names that datagrams come from are the real ones.
 */

import { CF_ACCEPT, CF_REJECT, WSAECONNREFUSED, WSAEFAULT, WSAEWOULDBLOCK } from '../../abi/index.ts';
import type { Answer, Layer, Ref, WSPPROC_TABLE, WSPUPCALLTABLE } from '../../spi/index.ts';
import { whenAnswered } from '../answers.ts';
import { Completions } from '../completions.ts';
import { type ExtensionWrappers, wrapExtensions } from '../extension-pointers.ts';
import { placeIn } from '../places.ts';
import { firewallExtensions } from './extensions.ts';
import { Gate, Gates, type Judge } from './gate.ts';

const SOCKADDR_ROOM = 128;

/** What the chains of the layer share. */
export interface FirewallState {
  readonly judge: Judge;
  /** By the process's upcall table. */
  readonly gates: WeakMap<WSPUPCALLTABLE, Gates>;
  readonly wrappers: ExtensionWrappers;
}

export function firewallCalls(
  next: WSPPROC_TABLE,
  layer: Layer,
  state: FirewallState,
): Partial<WSPPROC_TABLE> {
  const gate = new Gate(next, layer, state.judge);
  const gates = state.gates.get(layer.upcalls) ?? new Gates(gate);
  state.gates.set(layer.upcalls, gates);
  const completions = new Completions(layer);
  return {
    WSPSocket: (...args) => whenAnswered(next.WSPSocket(...args), (s) => gates.add(s, gate)),

    WSPConnect: (s, name, namelen, ...rest) =>
      gate.connecting(s, name, namelen, (to, length) => next.WSPConnect(s, to, length, ...rest)),
    WSPJoinLeaf: (s, name, namelen, ...rest) =>
      whenAnswered(
        gate.connecting(s, name, namelen, (to, length) => next.WSPJoinLeaf(s, to, length, ...rest)),
        (leaf) => gates.add(leaf, gate),
      ),

    WSPSendTo: (s, buffers, count, flags, to, tolen, ...rest) =>
      gate.sending(s, to, tolen, (way, length) =>
        next.WSPSendTo(s, buffers, count, flags, way, length, ...rest),
      ),
    WSPSend: (s, ...rest) => gate.moving(s, () => next.WSPSend(s, ...rest)),
    WSPRecv: (s, ...rest) => gate.moving(s, () => next.WSPRecv(s, ...rest)),
    WSPRecvFrom: (s, ...rest) => gate.moving(s, () => next.WSPRecvFrom(s, ...rest)),

    WSPBind(s, name, namelen): Answer {
      const local = placeIn(name, namelen);
      const isService = !gate.isStream && local !== null && local.port !== 0;
      const code = isService ? gate.listening(local) : 0;
      return code < 0 ? code : next.WSPBind(s, name, namelen);
    },

    WSPListen(s, backlog): Answer {
      const name = new Uint8Array(SOCKADDR_ROOM);
      const length: Ref = { value: name.length };
      return whenAnswered(next.WSPGetSockName(s, name, length), (answer) => {
        // What is not bound is the provider's to refuse.
        const code = answer < 0 ? 0 : gate.listening(placeIn(name, length.value));
        return code < 0 ? code : next.WSPListen(s, backlog);
      });
    },

    WSPAccept(s, addr, addrlen, lpfnCondition, dwCallbackData): Answer {
      const accept = (): Answer => {
        let isRefused = false;
        const answer = next.WSPAccept(
          s,
          addr,
          addrlen,
          (caller, callerData, sqos, gqos, callee, ...rest) => {
            isRefused = !gate.isWelcome(placeIn(caller, caller.length), placeIn(callee, callee.length));
            if (isRefused) return CF_REJECT;
            return lpfnCondition?.(caller, callerData, sqos, gqos, callee, ...rest) ?? CF_ACCEPT;
          },
          dwCallbackData,
        );
        return whenAnswered(answer, (late) =>
          isRefused && late === -WSAECONNREFUSED ? accept() : gates.add(late, gate),
        );
      };
      return accept();
    },

    WSPGetPeerName(s, name, namelen): Answer {
      const asked = gate.askedPeer(s);
      if (asked === null) return next.WSPGetPeerName(s, name, namelen);
      // Whether there is a peer is the provider's to say.
      const real = new Uint8Array(SOCKADDR_ROOM);
      return whenAnswered(next.WSPGetPeerName(s, real, { value: real.length }), (answer) => {
        if (answer < 0) return answer;
        if (name === null || namelen === null) return -WSAEFAULT;
        if (namelen.value < asked.length || name.length < asked.length) return -WSAEFAULT;
        name.set(asked);
        namelen.value = asked.length;
        return 0;
      });
    },

    WSPCloseSocket: (s) =>
      whenAnswered(next.WSPCloseSocket(s), (answer) => {
        if (answer !== -WSAEWOULDBLOCK) gates.forget(s);
        return answer;
      }),

    WSPIoctl: wrapExtensions(next, layer, state.wrappers, firewallExtensions(gates, completions)),

    WSPGetOverlappedResult: (s, lpOverlapped, ...rest) =>
      completions.asApplication(lpOverlapped, () => next.WSPGetOverlappedResult(s, lpOverlapped, ...rest)),

    WSPCleanup(): Answer {
      completions.end();
      gate.clear();
      return next.WSPCleanup();
    },
  };
}
