/**
 * The functions of ws2tcpip.h that are short for an option: WSAGetIPUserMtu, WSASetRecvIPEcn and the like. Those about IP take the
 * level from the socket's family.
 */

import {
  AF_INET6,
  IP_RECVECN,
  IP_USER_MTU,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  readWSAPROTOCOL_INFOW,
  SO_PROTOCOL_INFOW,
  SOL_SOCKET,
  TCP_FAIL_CONNECT_ON_ICMP_ERROR,
  TCP_ICMP_ERROR_INFO,
  UDP_RECV_MAX_COALESCED_SIZE,
  UDP_SEND_MSG_SIZE,
  WSAEFAULT,
  WSAPROTOCOL_INFOW_LEN,
} from '../abi/index.ts';
import { i32le, putI32le } from '../base/index.ts';
import type { Answer, Ref } from '../spi/index.ts';
import type { optionCalls } from './options.ts';

const DWORD_LEN = 4;

export function optionWrapperCalls({ getsockopt, setsockopt }: ReturnType<typeof optionCalls>) {
  const then = (answer: Answer, go: (value: number) => Answer): Answer =>
    typeof answer === 'number' ? go(answer) : answer.then(go);

  const get = (s: number, level: number, option: number, into: Ref | null): Answer => {
    if (into === null) return -WSAEFAULT;
    const bytes = new Uint8Array(DWORD_LEN);
    return then(getsockopt(s, level, option, bytes, { value: DWORD_LEN }), (answer) => {
      if (answer >= 0) into.value = i32le(bytes, 0) >>> 0;
      return answer;
    });
  };

  const set = (s: number, level: number, option: number, value: number): Answer => {
    const bytes = new Uint8Array(DWORD_LEN);
    putI32le(bytes, 0, value);
    return setsockopt(s, level, option, bytes, DWORD_LEN);
  };

  /** Goes on with the level of the socket's family; the numbers are the same at both. */
  const atItsLevel = (s: number, go: (level: number) => Answer): Answer => {
    const bytes = new Uint8Array(WSAPROTOCOL_INFOW_LEN);
    return then(getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, bytes, { value: bytes.length }), (answer) => {
      if (answer < 0) return answer;
      return go(readWSAPROTOCOL_INFOW(bytes)?.iAddressFamily === AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP);
    });
  };

  return {
    /** Reads the bound that the user has put to IP packets: 0xFFFFFFFF without one. */
    WSAGetIPUserMtu: (Socket: number, Mtu: Ref | null): Answer =>
      atItsLevel(Socket, (level) => get(Socket, level, IP_USER_MTU, Mtu)),
    /** Sets it. */
    WSASetIPUserMtu: (Socket: number, Mtu: number): Answer =>
      atItsLevel(Socket, (level) => set(Socket, level, IP_USER_MTU, Mtu)),
    /** Whether receives tell the ECN field. */
    WSAGetRecvIPEcn: (Socket: number, Enabled: Ref | null): Answer =>
      atItsLevel(Socket, (level) => get(Socket, level, IP_RECVECN, Enabled)),
    /** Says so. */
    WSASetRecvIPEcn: (Socket: number, Enabled: number): Answer =>
      atItsLevel(Socket, (level) => set(Socket, level, IP_RECVECN, Enabled)),
    /** Whether an ICMP error ends a connect. */
    WSAGetFailConnectOnIcmpError: (Socket: number, Enabled: Ref | null): Answer =>
      get(Socket, IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR, Enabled),
    /** Says so. */
    WSASetFailConnectOnIcmpError: (Socket: number, Enabled: number): Answer =>
      set(Socket, IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR, Enabled),
    /** Reads an ICMP_ERROR_INFO; `Info` is left as it is when there was no error since the last connect. */
    WSAGetIcmpErrorInfo: (Socket: number, Info: Uint8Array | null): Answer =>
      getsockopt(Socket, IPPROTO_TCP, TCP_ICMP_ERROR_INFO, Info),
    /** Reads up to how many bytes datagrams are received together. */
    WSAGetUdpRecvMaxCoalescedSize: (Socket: number, MsgSize: Ref | null): Answer =>
      get(Socket, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE, MsgSize),
    /** Sets it. */
    WSASetUdpRecvMaxCoalescedSize: (Socket: number, MsgSize: number): Answer =>
      set(Socket, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE, MsgSize),
    /** Reads into datagrams of which size a send is cut. */
    WSAGetUdpSendMessageSize: (Socket: number, MsgSize: Ref | null): Answer =>
      get(Socket, IPPROTO_UDP, UDP_SEND_MSG_SIZE, MsgSize),
    /** Sets it. */
    WSASetUdpSendMessageSize: (Socket: number, MsgSize: number): Answer =>
      set(Socket, IPPROTO_UDP, UDP_SEND_MSG_SIZE, MsgSize),
  };
}
