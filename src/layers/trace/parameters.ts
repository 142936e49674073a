/**
 * The parameters of every call by Microsoft's names, and how each is shown: one row a call, in the order of its arguments.
 */

import type { ExtensionFunctions, WSPPROC_TABLE } from '../../spi/index.ts';
import {
  type FlagNames,
  familyName,
  flagText,
  howName,
  ioctlName,
  JOIN_FLAGS,
  levelName,
  MESSAGE_FLAGS,
  NETWORK_EVENTS,
  optionText,
  POLL_EVENTS,
  protocolName,
  SOCKET_FLAGS,
  TRANSMIT_FLAGS,
  typeName,
} from './names.ts';
import type { TraceValue } from './trace-record.ts';
import {
  buffersValue,
  bytesValue,
  functionValue,
  infoValue,
  ioctlInput,
  ioctlOutput,
  networkEventsValue,
  optionValue,
  overlappedValue,
  refValue,
  roomValue,
  setValue,
  sockaddrValue,
  timevalValue,
} from './values.ts';

/** The calls of a provider, and the extension functions that are reached by pointers. */
export type CallName = keyof WSPPROC_TABLE | keyof ExtensionFunctions;

/** A call's arguments while it is shown. */
export interface Shown {
  readonly args: readonly unknown[];
  /** What it answered; for an operation that has ended its bytes. */
  readonly answer: number;
  /** Most bytes of a buffer. */
  readonly bytes: number;
}

type Show = (shown: Shown, at: number) => TraceValue;

export interface Parameter {
  readonly name: string;
  /** Before the call; absent: it only takes a result. */
  readonly before?: Show;
  /** After it has succeeded; absent: nothing is written there. */
  readonly after?: Show;
}

/** Where the overlapped record of a call stands, and its completion routine, when it can have one. */
export interface OverlappedPlace {
  readonly record: number;
  readonly routine: number;
}

export function parametersOf(call: CallName): readonly Parameter[] {
  return PARAMETERS[call];
}

export function overlappedPlace(call: CallName): OverlappedPlace | null {
  const names = PARAMETERS[call].map(({ name }) => name);
  const record = call === 'WSPGetOverlappedResult' ? -1 : names.indexOf('lpOverlapped');
  return record < 0 ? null : { record, routine: names.indexOf('lpCompletionRoutine') };
}

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** Shows an argument by itself. */
const by =
  (show: (value: unknown) => TraceValue): Show =>
  ({ args }, at) =>
    show(args[at]);
/** Shows a number by a name for it. */
const named = (name: (value: number) => string): Show => by((value) => name(number(value)));
const flags = (names: FlagNames): Show => named((value) => flagText(names, value));

const plain = by((value) =>
  typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? value : null,
);
/** A sockaddr or bytes whose length is the argument behind them. */
const address: Show = ({ args }, at) => sockaddrValue(args[at], args[at + 1]);
const addressOut: Show = ({ args }, at) => sockaddrValue(args[at], refValue(args[at + 1]));
const bytes: Show = ({ args, bytes: most }, at) =>
  bytesValue(args[at], (args[at] as Uint8Array | null)?.length, most);
const bytesOfNext: Show = ({ args, bytes: most }, at) => bytesValue(args[at], args[at + 1], most);
const text: Show = ({ args, bytes: most }, at) => {
  const value = (args[at] as { value?: unknown } | null)?.value;
  return value instanceof Uint8Array ? bytesValue(value, value.length, most) : refValue(args[at]);
};
const sent: Show = ({ args, bytes: most }, at) => buffersValue(args[at], args[at + 1], -1, most);
const room: Show = ({ args }, at) => roomValue(args[at], args[at + 1]);
const received: Show = ({ args, answer, bytes: most }, at) =>
  buffersValue(args[at], args[at + 1], answer, most);
const messageFlagsRef = by((ref) => {
  const value = refValue(ref);
  return typeof value === 'number' ? flagText(MESSAGE_FLAGS, value) : null;
});
const option: Show = ({ args }, at) => optionText(number(args[at - 1]), number(args[at]));
const optionIn: Show = ({ args, bytes: most }, at) =>
  optionValue(number(args[1]), number(args[2]), args[at], args[at + 1], most);
const optionOut: Show = ({ args, bytes: most }, at) =>
  optionValue(number(args[1]), number(args[2]), args[at], refValue(args[at + 1]), most);
const ioctlIn: Show = ({ args, bytes: most }, at) =>
  ioctlInput(number(args[1]), args[at], args[at + 1], most);
const ioctlOut: Show = ({ args, answer, bytes: most }, at) => ioctlOutput(args[at], answer, most);
const infoRef = by((ref) => infoValue((ref as { value?: unknown } | null)?.value ?? null));

const s: Parameter = { name: 's', before: plain };
const value = (name: string): Parameter => ({ name, before: plain });
/** A place that takes a number. */
const result = (name: string): Parameter => ({ name, after: by(refValue) });
/** A number that goes in and comes out. */
const inOut = (name: string): Parameter => ({ name, before: by(refValue), after: by(refValue) });
const lpOverlapped: Parameter = { name: 'lpOverlapped', before: by(overlappedValue) };
const lpCompletionRoutine: Parameter = { name: 'lpCompletionRoutine', before: by(functionValue) };
/** ws2_32's own: it says nothing to a reader. */
const lpThreadId: Parameter = { name: 'lpThreadId' };
const overlapped = [lpOverlapped, lpCompletionRoutine, lpThreadId] as const;
const nameIn: readonly Parameter[] = [{ name: 'name', before: address }, value('namelen')];
const nameOut: readonly Parameter[] = [{ name: 'name', after: addressOut }, inOut('namelen')];
const info: Parameter = { name: 'lpProtocolInfo', before: by(infoValue) };
const flow: readonly Parameter[] = [
  { name: 'lpSQOS', before: by((qos) => (qos === null || qos === undefined ? null : 'QOS')) },
  { name: 'lpGQOS', before: by((qos) => (qos === null || qos === undefined ? null : 'QOS')) },
];
const connectData: readonly Parameter[] = [
  { name: 'lpCallerData', before: bytes },
  { name: 'lpCalleeData', after: text },
];
const sendBuffers: readonly Parameter[] = [
  { name: 'lpBuffers', before: sent },
  value('dwBufferCount'),
  { name: 'dwFlags', before: flags(MESSAGE_FLAGS) },
];
const receiveBuffers: readonly Parameter[] = [
  { name: 'lpBuffers', before: room, after: received },
  value('dwBufferCount'),
  { name: 'lpFlags', before: messageFlagsRef, after: messageFlagsRef },
];
const message: Parameter = {
  name: 'lpMsg',
  before: ({ args, bytes: most }, at) => messageValue(args[at], -1, most),
  after: ({ args, answer, bytes: most }, at) => messageValue(args[at], answer, most),
};
const sets: readonly Parameter[] = ['readfds', 'writefds', 'exceptfds'].map((name) => ({
  name,
  before: by(setValue),
  after: by(setValue),
}));

function messageValue(msg: unknown, total: number, most: number): TraceValue {
  if (msg === null || typeof msg !== 'object') return null;
  const { name, namelen, lpBuffers, dwBufferCount, Control, dwFlags } = msg as {
    readonly [key: string]: unknown;
  };
  return {
    name: sockaddrValue(name, namelen),
    lpBuffers: buffersValue(lpBuffers, dwBufferCount, total, most),
    Control: bytesValue(Control, (Control as Uint8Array | null)?.length, most),
    dwFlags: flagText(MESSAGE_FLAGS, number(dwFlags)),
  };
}

const polled = by((entries) =>
  Array.isArray(entries)
    ? entries.slice(0, 64).map(({ fd, events, revents }) => ({
        fd: number(fd),
        events: flagText(POLL_EVENTS, number(events)),
        revents: flagText(POLL_EVENTS, number(revents)),
      }))
    : null,
);

const transmitFlags: Parameter = { name: 'dwFlags', before: flags(TRANSMIT_FLAGS) };

const PARAMETERS: { readonly [K in CallName]: readonly Parameter[] } = {
  WSPAccept: [
    s,
    { name: 'addr', after: addressOut },
    inOut('addrlen'),
    { name: 'lpfnCondition', before: by(functionValue) },
    value('dwCallbackData'),
  ],
  WSPAddressToString: [
    { name: 'lpsaAddress', before: address },
    value('dwAddressLength'),
    info,
    { name: 'lpszAddressString', after: text },
    inOut('lpdwAddressStringLength'),
  ],
  WSPAsyncSelect: [s, value('hWnd'), value('wMsg'), { name: 'lEvent', before: flags(NETWORK_EVENTS) }],
  WSPBind: [s, ...nameIn],
  WSPCancelBlockingCall: [],
  WSPCleanup: [],
  WSPCloseSocket: [s],
  WSPConnect: [s, ...nameIn, ...connectData, ...flow],
  WSPDuplicateSocket: [s, value('dwProcessId'), { name: 'lpProtocolInfo', after: infoRef }],
  WSPEnumNetworkEvents: [
    s,
    value('hEventObject'),
    { name: 'lpNetworkEvents', after: by(networkEventsValue) },
  ],
  WSPEventSelect: [s, value('hEventObject'), { name: 'lNetworkEvents', before: flags(NETWORK_EVENTS) }],
  WSPGetOverlappedResult: [s, lpOverlapped, value('fWait'), { name: 'lpdwFlags', after: messageFlagsRef }],
  WSPGetPeerName: [s, ...nameOut],
  WSPGetSockName: [s, ...nameOut],
  WSPGetSockOpt: [
    s,
    { name: 'level', before: named(levelName) },
    { name: 'optname', before: option },
    { name: 'optval', after: optionOut },
    inOut('optlen'),
  ],
  WSPGetQOSByName: [s, { name: 'lpQOSName', before: bytes }, { name: 'lpQOS' }],
  WSPIoctl: [
    s,
    { name: 'dwIoControlCode', before: named(ioctlName) },
    { name: 'lpvInBuffer', before: ioctlIn },
    value('cbInBuffer'),
    { name: 'lpvOutBuffer', after: ioctlOut },
    value('cbOutBuffer'),
    ...overlapped,
    { name: 'lpcbNeeded' },
  ],
  WSPJoinLeaf: [s, ...nameIn, ...connectData, ...flow, { name: 'dwFlags', before: flags(JOIN_FLAGS) }],
  WSPListen: [s, value('backlog')],
  WSPRecv: [s, ...receiveBuffers, ...overlapped],
  WSPRecvDisconnect: [s, { name: 'lpInboundDisconnectData', after: text }],
  WSPRecvFrom: [
    s,
    ...receiveBuffers,
    { name: 'lpFrom', after: addressOut },
    inOut('lpFromlen'),
    ...overlapped,
  ],
  WSPSelect: [value('nfds'), ...sets, { name: 'timeout', before: by(timevalValue) }],
  WSPSend: [s, ...sendBuffers, ...overlapped],
  WSPSendDisconnect: [s, { name: 'lpOutboundDisconnectData', before: bytes }],
  WSPSendTo: [s, ...sendBuffers, { name: 'lpTo', before: address }, value('iTolen'), ...overlapped],
  WSPSetSockOpt: [
    s,
    { name: 'level', before: named(levelName) },
    { name: 'optname', before: option },
    { name: 'optval', before: optionIn },
    value('optlen'),
  ],
  WSPShutdown: [s, { name: 'how', before: named(howName) }],
  WSPSocket: [
    { name: 'af', before: named(familyName) },
    { name: 'type', before: named(typeName) },
    { name: 'protocol', before: named(protocolName) },
    info,
    value('g'),
    { name: 'dwFlags', before: flags(SOCKET_FLAGS) },
  ],
  WSPStringToAddress: [
    value('AddressString'),
    { name: 'AddressFamily', before: named(familyName) },
    info,
    { name: 'lpAddress', after: addressOut },
    inOut('lpAddressLength'),
  ],

  AcceptEx: [
    value('sListenSocket'),
    value('sAcceptSocket'),
    {
      name: 'lpOutputBuffer',
      after: ({ args, answer, bytes: most }, at) => bytesValue(args[at], answer, most),
    },
    value('dwReceiveDataLength'),
    value('dwLocalAddressLength'),
    value('dwRemoteAddressLength'),
    result('lpdwBytesReceived'),
    lpOverlapped,
  ],
  GetAcceptExSockaddrs: [
    { name: 'lpOutputBuffer' },
    value('dwReceiveDataLength'),
    value('dwLocalAddressLength'),
    value('dwRemoteAddressLength'),
    { name: 'LocalSockaddr', after: text },
    result('LocalSockaddrLength'),
    { name: 'RemoteSockaddr', after: text },
    result('RemoteSockaddrLength'),
  ],
  ConnectEx: [
    s,
    ...nameIn,
    { name: 'lpSendBuffer', before: bytesOfNext },
    value('dwSendDataLength'),
    result('lpdwBytesSent'),
    lpOverlapped,
  ],
  DisconnectEx: [s, lpOverlapped, transmitFlags, value('dwReserved')],
  TransmitFile: [
    value('hSocket'),
    { name: 'hFile', before: plain },
    value('nNumberOfBytesToWrite'),
    value('nNumberOfBytesPerSend'),
    lpOverlapped,
    { name: 'lpTransmitBuffers' },
    transmitFlags,
  ],
  TransmitPackets: [
    value('hSocket'),
    { name: 'lpPacketArray' },
    value('nElementCount'),
    value('nSendSize'),
    lpOverlapped,
    transmitFlags,
  ],
  WSARecvMsg: [s, message, result('lpdwNumberOfBytesRecvd'), lpOverlapped, lpCompletionRoutine],
  WSASendMsg: [
    s,
    message,
    { name: 'dwFlags', before: flags(MESSAGE_FLAGS) },
    result('lpNumberOfBytesSent'),
    lpOverlapped,
    lpCompletionRoutine,
  ],
  WSAPoll: [{ name: 'fdArray', before: polled, after: polled }, value('fds'), value('timeout')],
};
