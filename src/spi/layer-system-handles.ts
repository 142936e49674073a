/**
 * The handles of an IFS layer: those of the base provider, which ws2_32 is told to hand to this layer's chain (SPI-GEN-05,
 * CAT-LOAD-06), and the protocol info that goes with them.
 */

import {
  SO_PROTOCOL_INFOW,
  SOL_SOCKET,
  type WSAPROTOCOL_INFO,
  writeWSAPROTOCOL_INFOW,
} from '../abi/index.ts';
import { infoBelow, infoOfChain } from './layer-info.ts';
import type { Layer } from './layer-types.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, Ref } from './types.ts';

/** What a layer calls and what is laid around its own calls. */
export interface LayerHandles {
  /** The provider below, as the layer calls it. */
  readonly next: WSPPROC_TABLE;
  /** Lays what every call needs around the layer's table. */
  finish(table: WSPPROC_TABLE): WSPPROC_TABLE;
}

export function systemHandles(lower: WSPPROC_TABLE, layer: Layer): LayerHandles {
  const { chain, upcalls } = layer;
  const context: Ref = { value: 0 };
  const admit = (s: number): number => {
    // A code, or no socket at all: that is for who contains the layer to say.
    if (s <= 0 || upcalls.WPUQuerySocketHandleContext(s, context) < 0) return s;
    const handle = upcalls.WPUModifyIFSHandle(chain.dwCatalogEntryId, s);
    if (handle < 0) void lower.WSPCloseSocket(s);
    return handle;
  };
  const admitted = (answer: Answer): Answer =>
    typeof answer === 'number' ? admit(answer) : answer.then(admit);

  return {
    next: {
      ...lower,
      WSPSocket: (af, type, protocol, info, g, flags) =>
        lower.WSPSocket(af, type, protocol, infoBelow(layer, info), g, flags),
    },
    finish: (table) => ({
      ...table,
      ...chainInfoCalls(table, chain),
      WSPSocket: (...args) => admitted(table.WSPSocket(...args)),
      WSPAccept: (...args) => admitted(table.WSPAccept(...args)),
      WSPJoinLeaf: (...args) => admitted(table.WSPJoinLeaf(...args)),
    }),
  };
}

/** The calls that tell applications which entry their socket is of: the chain's. */
export function chainInfoCalls(
  table: WSPPROC_TABLE,
  chain: WSAPROTOCOL_INFO,
): Pick<WSPPROC_TABLE, 'WSPGetSockOpt' | 'WSPDuplicateSocket'> {
  return {
    WSPGetSockOpt(s, level, optname, optval, optlen): Answer {
      const answer = table.WSPGetSockOpt(s, level, optname, optval, optlen);
      if (level !== SOL_SOCKET || optname !== SO_PROTOCOL_INFOW || optval === null) return answer;
      const finish = (late: number): number => {
        if (late >= 0) writeWSAPROTOCOL_INFOW(optval, 0, chain);
        return late;
      };
      return typeof answer === 'number' ? finish(answer) : answer.then(finish);
    },

    WSPDuplicateSocket(s, dwProcessId, lpProtocolInfo): Answer {
      const answer = table.WSPDuplicateSocket(s, dwProcessId, lpProtocolInfo);
      const finish = (late: number): number => {
        const info = lpProtocolInfo?.value ?? null;
        if (late >= 0 && lpProtocolInfo !== null && info !== null)
          lpProtocolInfo.value = infoOfChain(chain, info);
        return late;
      };
      return typeof answer === 'number' ? finish(answer) : answer.then(finish);
    },
  };
}
