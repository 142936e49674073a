/**
 * The arguments of the calls about names: see `signatures`.
 */

import { inout, input, inputs, number, numbers, reference, text, textReference } from './marshal.ts';
import {
  addrinfoExReference,
  addrinfoReference,
  classInput,
  classInto,
  hints,
  hostentReference,
  nameSpaces,
  nameSpacesEx,
  protocolInfos,
  protoentReference,
  querySet2Input,
  querySetInput,
  querySetInto,
  serventReference,
} from './marshal-names.ts';
import { begun, overlapped, routine } from './marshal-overlapped.ts';
import { completion, requestBuffer } from './marshal-requests.ts';
import { time } from './marshal-structures.ts';
import { type Signature, signature } from './signature.ts';

const addrinfo = [text, text, hints, addrinfoReference] as const;
const addrinfoEx = [
  text,
  text,
  number,
  text,
  hints,
  addrinfoExReference,
  time,
  overlapped,
  routine,
  reference,
] as const;
const nameinfo = [input, number, textReference, number, textReference, number, number] as const;
const lookupNext = [number, number, reference, querySetInto] as const;
const classInfo = [text, text, reference, classInto] as const;

/** 0 is no handle: what WSAAsyncGetXByY answers when it fails. */
const NO_HANDLE = 0;

export const NAME_SIGNATURES: readonly Signature[] = [
  signature('gethostname', [textReference, number]),
  signature('GetHostNameW', [textReference, number]),
  signature('sethostname', [text, number]),
  signature('gethostbyname', [text, hostentReference]),
  signature('gethostbyaddr', [input, number, number, hostentReference]),
  signature('getservbyname', [text, text, serventReference]),
  signature('getservbyport', [number, text, serventReference]),
  signature('getprotobyname', [text, protoentReference]),
  signature('getprotobynumber', [number, protoentReference]),
  signature('getaddrinfo', addrinfo),
  signature('GetAddrInfoW', addrinfo),
  signature('GetAddrInfoEx', addrinfoEx, undefined, null, [5], [9]),
  signature('GetAddrInfoExA', addrinfoEx),
  signature('GetAddrInfoExCancel', [reference]),
  signature('GetAddrInfoExOverlappedResult', [begun]),
  signature('SetAddrInfoEx', [
    text,
    text,
    inputs,
    number,
    input,
    number,
    number,
    text,
    time,
    overlapped,
    routine,
    reference,
  ]),
  signature('getnameinfo', nameinfo),
  signature('GetNameInfoW', nameinfo),
  signature('WSALookupServiceBegin', [querySetInput, number, reference]),
  signature('WSALookupServiceNext', lookupNext),
  signature('WSALookupServiceNextA', lookupNext),
  signature('WSALookupServiceEnd', [number]),
  signature('WSANSPIoctl', [
    number,
    number,
    input,
    number,
    inout,
    number,
    reference,
    completion,
    overlapped,
    routine,
  ]),
  signature('WSAEnumNameSpaceProviders', [reference, nameSpaces]),
  signature('WSAEnumNameSpaceProvidersA', [reference, nameSpaces]),
  signature('WSAEnumNameSpaceProvidersEx', [reference, nameSpacesEx]),
  signature('WSAEnumNameSpaceProvidersExA', [reference, nameSpacesEx]),
  signature('WSASetService', [querySetInput, number, number]),
  signature('WSAAdvertiseProvider', [text, number, number]),
  signature('WSAUnadvertiseProvider', [text]),
  signature('WSAProviderCompleteAsyncCall', [number, number, reference, querySet2Input]),
  signature('WSAInstallServiceClass', [classInput]),
  signature('WSARemoveServiceClass', [text]),
  signature('WSAGetServiceClassInfo', classInfo),
  signature('WSAGetServiceClassInfoA', classInfo),
  signature('WSAGetServiceClassNameByClassId', [text, textReference, reference]),
  signature('WSAAsyncGetHostByName', [number, number, text, requestBuffer, number], NO_HANDLE),
  signature(
    'WSAAsyncGetHostByAddr',
    [number, number, input, number, number, requestBuffer, number],
    NO_HANDLE,
  ),
  signature('WSAAsyncGetServByName', [number, number, text, text, requestBuffer, number], NO_HANDLE),
  signature('WSAAsyncGetServByPort', [number, number, number, text, requestBuffer, number], NO_HANDLE),
  signature('WSAAsyncGetProtoByName', [number, number, text, requestBuffer, number], NO_HANDLE),
  signature('WSAAsyncGetProtoByNumber', [number, number, number, requestBuffer, number], NO_HANDLE),
  signature('WSACancelAsyncRequest', [number]),
  signature('EnumProtocols', [numbers, protocolInfos, reference]),
  signature('GetAddressByName', []),
  signature('GetTypeByName', []),
  signature('GetNameByType', []),
  signature('SetService', []),
  signature('GetService', []),
];
