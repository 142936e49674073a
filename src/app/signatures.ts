/**
 * The arguments of every Winsock call, kind by kind, and what C returns when it fails: what the blocking face needs to know to
 * carry a call to the chain thread and back.
 */

import { INVALID_SOCKET, SOCKET_ERROR, WSA_WAIT_FAILED, WSAEMSGSIZE } from '../abi/index.ts';
import {
  bool,
  callback,
  hook,
  inout,
  input,
  inputs,
  lengthReference,
  none,
  number,
  numbers,
  output,
  reference,
  text,
  textReference,
} from './marshal.ts';
import { bufferReference, qos, qosResult } from './marshal-connect.ts';
import {
  data,
  info,
  infoReference,
  infos,
  message,
  networkEvents,
  pollfds,
  set,
  time,
} from './marshal-structures.ts';
import { type Signature, signature } from './signature.ts';
import { CONFIG_SIGNATURES } from './signatures-config.ts';
import { NAME_SIGNATURES } from './signatures-names.ts';
import { OVERLAPPED_SIGNATURES } from './signatures-overlapped.ts';
import { RIO_SIGNATURES } from './signatures-rio.ts';

export type { Signature } from './signature.ts';

const FALSE = 0;
const NULL_EVENT = 0;

/** recv and recvfrom answer the count; a message that was cut has filled the buffer (SEM-IO-03). */
function receivedIntoOne(args: readonly unknown[], answer: number): number {
  const buffer = args[1] as Uint8Array | null;
  if (buffer === null) return 0;
  return answer === -WSAEMSGSIZE ? Math.min(buffer.length, args[2] as number) : Math.max(answer, 0);
}

/** All calls; a place in this table names a call in a mailbox. */
export const SIGNATURES: readonly Signature[] = [
  signature('WSAStartup', [number, data]),
  signature('WSACleanup', []),
  signature('socket', [number, number, number], INVALID_SOCKET),
  signature('WSASocket', [number, number, number, info, number, number], INVALID_SOCKET),
  signature('closesocket', [number]),
  signature('WSADuplicateSocket', [number, number, infoReference]),
  signature('bind', [number, input, number]),
  signature('listen', [number, number]),
  signature('accept', [number, inout, lengthReference], INVALID_SOCKET),
  signature('WSAAccept', [number, inout, lengthReference, callback, number], INVALID_SOCKET),
  signature('connect', [number, input, number]),
  signature('WSAConnect', [number, input, number, input, bufferReference, qos, qos]),
  signature('WSAConnectByName', [number, text, text, reference, inout, reference, inout, time, none], FALSE),
  signature('WSAConnectByList', [number, inputs, reference, inout, reference, inout, time, none], FALSE),
  signature('WSAJoinLeaf', [number, input, number, input, bufferReference, qos, qos, number], INVALID_SOCKET),
  signature('shutdown', [number, number]),
  signature('WSASendDisconnect', [number, input]),
  signature('WSARecvDisconnect', [number, bufferReference]),
  signature('getsockname', [number, inout, lengthReference]),
  signature('getpeername', [number, inout, lengthReference]),
  signature('send', [number, input, number, number]),
  signature('sendto', [number, input, number, number, input, number]),
  signature('recv', [number, output, number, number], SOCKET_ERROR, receivedIntoOne),
  signature(
    'recvfrom',
    [number, output, number, number, inout, lengthReference],
    SOCKET_ERROR,
    receivedIntoOne,
  ),
  signature('WSARecvEx', [number, output, number, reference], SOCKET_ERROR, receivedIntoOne),
  signature('getsockopt', [number, number, number, inout, lengthReference]),
  signature('setsockopt', [number, number, number, input, number]),
  signature('ioctlsocket', [number, number, reference]),
  signature('select', [number, set, set, set, time]),
  signature('WSAPoll', [pollfds, number, number]),
  signature('WSACreateEvent', [], NULL_EVENT),
  signature('WSASetEvent', [number], FALSE),
  signature('WSAResetEvent', [number], FALSE),
  signature('WSACloseEvent', [number], FALSE),
  signature('WSAEventSelect', [number, number, number]),
  signature('WSAEnumNetworkEvents', [number, number, networkEvents]),
  signature('WSAWaitForMultipleEvents', [number, numbers, bool, number, bool], WSA_WAIT_FAILED),
  signature('WSAHtonl', [number, number, reference]),
  signature('WSAHtons', [number, number, reference]),
  signature('WSANtohl', [number, number, reference]),
  signature('WSANtohs', [number, number, reference]),
  signature('WSAAddressToString', [input, number, info, textReference, reference]),
  signature('WSAStringToAddress', [text, number, info, inout, reference]),
  signature('WSAEnumProtocols', [numbers, infos, reference]),
  signature('WSAIsBlocking', [], FALSE),
  signature('WSASetBlockingHook', [hook]),
  signature('WSAUnhookBlockingHook', []),
  signature('WSACancelBlockingCall', []),
  signature('WSAGetQOSByName', [number, inout, qosResult], FALSE),
  signature('WSASetSocketSecurity', [number, input]),
  signature('WSAQuerySocketSecurity', [number, input]),
  signature('WSASetSocketPeerTargetName', [number, input]),
  signature('WSADeleteSocketPeerTargetName', [number, input]),
  signature('SetSocketMediaStreamingMode', [bool]),
  signature('WSAImpersonateSocketPeer', [number, input]),
  signature('WSARevertImpersonation', []),
  signature('WSAAsyncSelect', [number, number, number, number]),
  signature('CreateWindow', [], FALSE),
  signature('DestroyWindow', [number], FALSE),
  signature('IsWindow', [number], FALSE),
  signature('PostMessage', [number, number, number, number], FALSE),
  signature('PostQuitMessage', [number]),
  signature('GetMessage', [message, number, number, number]),
  signature('PeekMessage', [message, number, number, number, number], FALSE),
  signature('RegisterWindowMessage', [text], FALSE),
  signature('WSAGetIPUserMtu', [number, reference]),
  signature('WSASetIPUserMtu', [number, number]),
  signature('WSAGetRecvIPEcn', [number, reference]),
  signature('WSASetRecvIPEcn', [number, number]),
  signature('WSAGetFailConnectOnIcmpError', [number, reference]),
  signature('WSASetFailConnectOnIcmpError', [number, number]),
  signature('WSAGetIcmpErrorInfo', [number, inout]),
  signature('WSAGetUdpRecvMaxCoalescedSize', [number, reference]),
  signature('WSASetUdpRecvMaxCoalescedSize', [number, number]),
  signature('WSAGetUdpSendMessageSize', [number, reference]),
  signature('WSASetUdpSendMessageSize', [number, number]),
  signature('if_nametoindex', [text], FALSE),
  signature('if_indextoname', [number, textReference], FALSE),
  signature('setipv4sourcefilter', [number, input, input, number, number, input]),
  signature('getipv4sourcefilter', [number, input, input, reference, reference, inout]),
  signature('setsourcefilter', [number, number, input, number, number, number, input]),
  signature('getsourcefilter', [number, number, input, number, reference, reference, inout]),
  ...NAME_SIGNATURES,
  ...OVERLAPPED_SIGNATURES,
  ...RIO_SIGNATURES,
  ...CONFIG_SIGNATURES,
];
