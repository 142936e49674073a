/**
 * The calls that begin overlapped operations, or ask about them: part of the table of `signatures`.
 */

import { WSA_WAIT_FAILED, WSAEMSGSIZE } from '../abi/index.ts';
import type { Ref, WSABUF, WSAMSG } from '../spi/index.ts';
import { bool, inout, input, inputs, lengthReference, number, outputs, reference } from './marshal.ts';
import {
  begun,
  dequeued,
  elements,
  entries,
  overlapped,
  receivedMessage,
  registrations,
  routine,
  sentMessage,
  source,
  transmitBuffers,
} from './marshal-overlapped.ts';
import { type Signature, signature } from './signature.ts';

const FALSE = 0;

function total(buffers: readonly WSABUF[] | null): number {
  return (buffers ?? []).reduce((sum, buffer) => sum + buffer.length, 0);
}

/** WSARecv and WSARecvFrom write the count through a pointer. */
function receivedIntoMany(args: readonly unknown[], answer: number): number {
  if (answer === -WSAEMSGSIZE) return total(args[1] as readonly WSABUF[] | null);
  return answer < 0 ? 0 : ((args[3] as Ref | null)?.value ?? 0);
}

function receivedMessageBytes(args: readonly unknown[], answer: number): number {
  if (answer === -WSAEMSGSIZE) return total((args[1] as WSAMSG | null)?.lpBuffers ?? null);
  return answer < 0 ? 0 : ((args[2] as Ref | null)?.value ?? 0);
}

export const OVERLAPPED_SIGNATURES: readonly Signature[] = [
  signature('WSASend', [number, inputs, number, reference, number, overlapped, routine]),
  signature('WSASendTo', [number, inputs, number, reference, number, input, number, overlapped, routine]),
  signature(
    'WSARecv',
    [number, outputs, number, reference, reference, overlapped, routine],
    undefined,
    receivedIntoMany,
  ),
  signature(
    'WSARecvFrom',
    [number, outputs, number, reference, reference, inout, lengthReference, overlapped, routine],
    undefined,
    receivedIntoMany,
    [6],
  ),
  signature('WSAIoctl', [number, number, input, number, inout, number, reference, overlapped, routine]),
  signature('WSASendMsg', [number, sentMessage, number, reference, overlapped, routine]),
  signature(
    'WSARecvMsg',
    [number, receivedMessage, reference, overlapped, routine],
    undefined,
    receivedMessageBytes,
    [1],
  ),
  signature('AcceptEx', [number, number, inout, number, number, number, reference, overlapped], FALSE),
  signature('ConnectEx', [number, input, number, input, number, reference, overlapped], FALSE),
  signature('DisconnectEx', [number, overlapped, number, number], FALSE),
  signature('TransmitFile', [number, source, number, number, overlapped, transmitBuffers, number], FALSE),
  signature('TransmitPackets', [number, elements, number, number, overlapped, number], FALSE),
  signature('PostQueuedCompletionStatus', [number, number, number, overlapped], FALSE),
  signature('WSAGetOverlappedResult', [number, begun, reference, bool, reference], FALSE),
  signature('GetOverlappedResult', [number, begun, reference, bool], FALSE),
  signature('CancelIo', [number], FALSE),
  signature('CancelIoEx', [number, begun], FALSE),
  signature('CreateIoCompletionPort', [number, number, number, number], FALSE),
  signature('GetQueuedCompletionStatus', [number, reference, reference, dequeued, number], FALSE),
  signature('GetQueuedCompletionStatusEx', [number, entries, number, reference, number, bool], FALSE),
  signature('ProcessSocketNotifications', [
    number,
    number,
    registrations,
    number,
    number,
    entries,
    reference,
  ]),
  signature('CloseHandle', [number], FALSE),
  signature('SetFileCompletionNotificationModes', [number, number], FALSE),
  signature('WaitForSingleObjectEx', [number, number, bool], WSA_WAIT_FAILED),
  signature('SleepEx', [number, bool]),
];
