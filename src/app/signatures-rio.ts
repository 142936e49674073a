/**
 * The calls of registered I/O: part of the table of `signatures`.
 */

import { RIO_CORRUPT_CQ, RIO_INVALID_BUFFERID, RIO_INVALID_CQ, RIO_INVALID_RQ } from '../abi/index.ts';
import { number } from './marshal.ts';
import { notification, part, range, results, ticket } from './marshal-rio.ts';
import { type Signature, signature } from './signature.ts';

const FALSE = 0;
const REQUEST = [number, part, number, number, ticket];
const REQUEST_EX = [number, part, number, part, part, part, part, number, ticket];

export const RIO_SIGNATURES: readonly Signature[] = [
  signature('RIOReceive', REQUEST, FALSE),
  signature('RIOReceiveEx', REQUEST_EX, FALSE),
  signature('RIOSend', REQUEST, FALSE),
  signature('RIOSendEx', REQUEST_EX, FALSE),
  signature('RIOCloseCompletionQueue', [number]),
  signature('RIOCreateCompletionQueue', [number, notification], RIO_INVALID_CQ),
  signature(
    'RIOCreateRequestQueue',
    [number, number, number, number, number, number, number, ticket],
    RIO_INVALID_RQ,
  ),
  signature('RIODequeueCompletion', [number, results, number], RIO_CORRUPT_CQ),
  signature('RIODeregisterBuffer', [number]),
  signature('RIONotify', [number]),
  signature('RIORegisterBuffer', [range, number], RIO_INVALID_BUFFERID),
  signature('RIOResizeCompletionQueue', [number, number], FALSE),
  signature('RIOResizeRequestQueue', [number, number, number], FALSE),
];
