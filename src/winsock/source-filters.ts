/**
 * The functions of RFC 3678 for the source filters of groups: setsourcefilter, getsourcefilter and their forms for IPv4 (ws2tcpip.h).
 * As in Windows' header they are forms of control codes, so that layered providers see those.
 *
 * C's arrays are bytes here: an IN_ADDR is 4, a list of them 4 each, a list of SOCKADDR_STORAGE 128 each.
 */

import {
  GROUP_FILTER_LEN,
  GROUP_REQ_LEN,
  IP_MSFILTER_LEN,
  SIO_GET_MULTICAST_FILTER,
  SIO_SET_MULTICAST_FILTER,
  SIOCGMSFILTER,
  SIOCSMSFILTER,
  SOCKADDR_STORAGE_LEN,
  WSAEFAULT,
  WSAENOBUFS,
} from '../abi/index.ts';
import { i32le, putI32le } from '../base/index.ts';
import type { Answer, Ref } from '../spi/index.ts';
import type { optionCalls } from './options.ts';

const IN_ADDR_LEN = 4;
/** More are in no filter: what bounds a list before it is copied. */
const MOST_SOURCES = 0xffff;

export function sourceFilterCalls({ WSAIoctl }: ReturnType<typeof optionCalls>) {
  /** Sets the filter in `bytes`. */
  const set = (s: number, code: number, bytes: Uint8Array): Answer =>
    WSAIoctl(s, code, bytes, bytes.length, null, 0, { value: 0 });

  /** Asks for a filter, whose mode is at `modeAt` and whose count is behind it; sources of `each` bytes follow. */
  const get = (
    s: number,
    code: number,
    bytes: Uint8Array,
    modeAt: number,
    each: number,
    FilterMode: Ref,
    SourceCount: Ref,
    SourceList: Uint8Array | null,
  ): Answer => {
    const room = SourceCount.value;
    const finish = (answer: number): number => {
      if (answer < 0 && answer !== -WSAENOBUFS) return answer;
      const count = i32le(bytes, modeAt + 4);
      FilterMode.value = i32le(bytes, modeAt);
      SourceCount.value = count;
      const from = modeAt + 8;
      SourceList?.set(bytes.subarray(from, from + each * Math.min(count, room)));
      // Who asks with no room wants the mode alone.
      return room === 0 ? 0 : answer;
    };
    const answer = WSAIoctl(s, code, bytes, modeAt + 8, bytes, bytes.length, { value: 0 });
    return typeof answer === 'number' ? finish(answer) : answer.then(finish);
  };

  return {
    /** Sets from whom a socket hears an IPv4 group. */
    setipv4sourcefilter(
      Socket: number,
      Interface: Uint8Array | null,
      Group: Uint8Array | null,
      FilterMode: number,
      SourceCount: number,
      SourceList: Uint8Array | null,
    ): Answer {
      const bytes = ipv4Filter(Interface, Group, SourceCount);
      if (bytes === null || !isList(SourceList, SourceCount, IN_ADDR_LEN)) return -WSAEFAULT;
      putI32le(bytes, IP_MSFILTER_LEN - 8, FilterMode);
      putI32le(bytes, IP_MSFILTER_LEN - 4, SourceCount);
      if (SourceList !== null) bytes.set(SourceList.subarray(0, SourceCount * IN_ADDR_LEN), IP_MSFILTER_LEN);
      return set(Socket, SIO_SET_MULTICAST_FILTER, bytes);
    },

    /** Reads the filter of an IPv4 group; `SourceCount` is the room of the list, then how many there are. */
    getipv4sourcefilter(
      Socket: number,
      Interface: Uint8Array | null,
      Group: Uint8Array | null,
      FilterMode: Ref | null,
      SourceCount: Ref | null,
      SourceList: Uint8Array | null,
    ): Answer {
      if (FilterMode === null || SourceCount === null) return -WSAEFAULT;
      const bytes = ipv4Filter(Interface, Group, SourceCount.value);
      if (bytes === null || !isList(SourceList, SourceCount.value, IN_ADDR_LEN)) return -WSAEFAULT;
      const modeAt = IP_MSFILTER_LEN - 8;
      return get(
        Socket,
        SIO_GET_MULTICAST_FILTER,
        bytes,
        modeAt,
        IN_ADDR_LEN,
        FilterMode,
        SourceCount,
        SourceList,
      );
    },

    /** Sets from whom a socket hears a group of either family, on the interface of that index. */
    setsourcefilter(
      Socket: number,
      Interface: number,
      Group: Uint8Array | null,
      GroupLength: number,
      FilterMode: number,
      SourceCount: number,
      SourceList: Uint8Array | null,
    ): Answer {
      const bytes = groupFilter(Interface, Group, GroupLength, SourceCount);
      if (bytes === null || !isList(SourceList, SourceCount, SOCKADDR_STORAGE_LEN)) return -WSAEFAULT;
      putI32le(bytes, GROUP_REQ_LEN, FilterMode);
      putI32le(bytes, GROUP_REQ_LEN + 4, SourceCount);
      if (SourceList !== null) {
        bytes.set(SourceList.subarray(0, SourceCount * SOCKADDR_STORAGE_LEN), GROUP_FILTER_LEN);
      }
      return set(Socket, SIOCSMSFILTER, bytes);
    },

    /** Reads the filter of a group of either family; as `getipv4sourcefilter`. */
    getsourcefilter(
      Socket: number,
      Interface: number,
      Group: Uint8Array | null,
      GroupLength: number,
      FilterMode: Ref | null,
      SourceCount: Ref | null,
      SourceList: Uint8Array | null,
    ): Answer {
      if (FilterMode === null || SourceCount === null) return -WSAEFAULT;
      const bytes = groupFilter(Interface, Group, GroupLength, SourceCount.value);
      if (bytes === null || !isList(SourceList, SourceCount.value, SOCKADDR_STORAGE_LEN)) return -WSAEFAULT;
      return get(
        Socket,
        SIOCGMSFILTER,
        bytes,
        GROUP_REQ_LEN,
        SOCKADDR_STORAGE_LEN,
        FilterMode,
        SourceCount,
        SourceList,
      );
    },
  };
}

/** Whether the list holds `count` elements; none need no list. */
function isList(list: Uint8Array | null, count: number, each: number): boolean {
  return count === 0 || (list !== null && count > 0 && list.length >= count * each);
}

/** An ip_msfilter without mode and sources; `null` when a pointer is missing or short, or the count is none. */
function ipv4Filter(on: Uint8Array | null, group: Uint8Array | null, count: number): Uint8Array | null {
  if (on === null || group === null || on.length < IN_ADDR_LEN || group.length < IN_ADDR_LEN) return null;
  if (!(count >= 0 && count <= MOST_SOURCES)) return null;
  const bytes = new Uint8Array(IP_MSFILTER_LEN + count * IN_ADDR_LEN);
  bytes.set(group.subarray(0, IN_ADDR_LEN));
  bytes.set(on.subarray(0, IN_ADDR_LEN), IN_ADDR_LEN);
  return bytes;
}

/** The same as a group_filter. */
function groupFilter(on: number, group: Uint8Array | null, length: number, count: number): Uint8Array | null {
  if (group === null || !(length >= 2 && length <= Math.min(group.length, SOCKADDR_STORAGE_LEN))) return null;
  if (!(count >= 0 && count <= MOST_SOURCES)) return null;
  const bytes = new Uint8Array(GROUP_FILTER_LEN + count * SOCKADDR_STORAGE_LEN);
  putI32le(bytes, 0, on);
  bytes.set(group.subarray(0, length), 8);
  return bytes;
}
