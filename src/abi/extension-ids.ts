/**
 * The extension functions of Microsoft's providers: how they are asked for (SIO_GET_EXTENSION_FUNCTION_POINTER), and the numbers
 * that they are called with (mswsock.h, mswsockdef.h).
 */

import { formatGuid } from './guid.ts';

/** GUIDs, as text. */
export const WSAID_TRANSMITFILE = 'B5367DF0-CBAC-11CF-95CA-00805F48A192';
export const WSAID_ACCEPTEX = 'B5367DF1-CBAC-11CF-95CA-00805F48A192';
export const WSAID_GETACCEPTEXSOCKADDRS = 'B5367DF2-CBAC-11CF-95CA-00805F48A192';
export const WSAID_TRANSMITPACKETS = 'D9689DA0-1F90-11D3-9971-00C04F68C876';
export const WSAID_CONNECTEX = '25A207B9-DDF3-4660-8EE9-76E58C74063E';
export const WSAID_DISCONNECTEX = '7FDA2E11-8630-436F-A031-F536A6EEC157';
export const WSAID_WSARECVMSG = 'F689D7C8-6F1F-436B-8A53-E54FE351C322';
export const WSAID_WSASENDMSG = 'A441E712-754F-43CA-84A7-0DEE44CF606D';
export const WSAID_WSAPOLL = '18C76F85-DC66-4964-972E-23C27238312B';
/** With SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER. */
export const WSAID_MULTIPLE_RIO = '8509E081-96DD-4005-B165-9E2EE8C79E3F';

/** Bytes of a function pointer in 64-bit Windows. */
export const FUNCTION_POINTER_LEN = 8;
/** Bytes that an address takes in AcceptEx's buffer beside the sockaddr itself. */
export const ACCEPT_EX_ADDRESS_EXTRA = 16;

/** Flags of TransmitFile, TransmitPackets and DisconnectEx. */
export const TF_DISCONNECT = 0x1;
export const TF_REUSE_SOCKET = 0x2;
export const TF_WRITE_BEHIND = 0x4;
export const TF_USE_DEFAULT_WORKER = 0;
export const TF_USE_SYSTEM_THREAD = 0x10;
export const TF_USE_KERNEL_APC = 0x20;
export const TP_DISCONNECT = TF_DISCONNECT;
export const TP_REUSE_SOCKET = TF_REUSE_SOCKET;
export const TP_USE_DEFAULT_WORKER = TF_USE_DEFAULT_WORKER;
export const TP_USE_SYSTEM_THREAD = TF_USE_SYSTEM_THREAD;
export const TP_USE_KERNEL_APC = TF_USE_KERNEL_APC;

/** Kinds of an element of TransmitPackets. */
export const TP_ELEMENT_MEMORY = 1;
export const TP_ELEMENT_FILE = 2;
/** The datagram ends with this element. */
export const TP_ELEMENT_EOP = 4;

/** Most bytes of one TransmitFile. */
export const TRANSMIT_FILE_MAX = 2_147_483_646;

/** Modes of SetFileCompletionNotificationModes. */
export const FILE_SKIP_COMPLETION_PORT_ON_SUCCESS = 0x1;
export const FILE_SKIP_SET_EVENT_ON_HANDLE = 0x2;

/** No handle: what CreateIoCompletionPort is given to make a port alone. */
export const INVALID_HANDLE_VALUE = 0xffff_ffff;
/** No end of a wait. */
export const INFINITE = 0xffff_ffff;

/** Flags of the requests of registered I/O. */
export const RIO_MSG_DONT_NOTIFY = 0x1;
export const RIO_MSG_DEFER = 0x2;
export const RIO_MSG_WAITALL = 0x4;
export const RIO_MSG_COMMIT_ONLY = 0x8;
export const RIO_INVALID_BUFFERID = 0xffff_ffff;
export const RIO_INVALID_CQ = 0;
export const RIO_INVALID_RQ = 0;
export const RIO_MAX_CQ_SIZE = 0x800_0000;
export const RIO_CORRUPT_CQ = 0xffff_ffff;
/** How a completion queue tells that it has something. */
export const RIO_EVENT_COMPLETION = 1;
export const RIO_IOCP_COMPLETION = 2;
/** Bytes of RIO_EXTENSION_FUNCTION_TABLE: its size, and 13 pointers. */
export const RIO_FUNCTION_TABLE_LEN = 8 + 13 * FUNCTION_POINTER_LEN;

/** Socket state notifications: what is registered for, how, and what came (winsock2.h of Windows 10 2004). */
export const SOCK_NOTIFY_REGISTER_EVENT_NONE = 0x0;
export const SOCK_NOTIFY_REGISTER_EVENT_IN = 0x1;
export const SOCK_NOTIFY_REGISTER_EVENT_OUT = 0x2;
export const SOCK_NOTIFY_REGISTER_EVENT_HANGUP = 0x4;
export const SOCK_NOTIFY_REGISTER_EVENTS_ALL = 0x7;
export const SOCK_NOTIFY_EVENT_IN = SOCK_NOTIFY_REGISTER_EVENT_IN;
export const SOCK_NOTIFY_EVENT_OUT = SOCK_NOTIFY_REGISTER_EVENT_OUT;
export const SOCK_NOTIFY_EVENT_HANGUP = SOCK_NOTIFY_REGISTER_EVENT_HANGUP;
export const SOCK_NOTIFY_EVENT_ERR = 0x40;
export const SOCK_NOTIFY_EVENT_REMOVE = 0x80;
export const SOCK_NOTIFY_EVENTS_ALL = 0xc7;
export const SOCK_NOTIFY_OP_NONE = 0x0;
export const SOCK_NOTIFY_OP_ENABLE = 0x1;
export const SOCK_NOTIFY_OP_DISABLE = 0x2;
export const SOCK_NOTIFY_OP_REMOVE = 0x4;
export const SOCK_NOTIFY_TRIGGER_ONESHOT = 0x1;
export const SOCK_NOTIFY_TRIGGER_PERSISTENT = 0x2;
export const SOCK_NOTIFY_TRIGGER_LEVEL = 0x4;
export const SOCK_NOTIFY_TRIGGER_EDGE = 0x8;
export const SOCK_NOTIFY_TRIGGER_ALL = 0xf;

/** The text of a GUID that lies in a buffer, as the constants here have it; `null` when the buffer is short. */
export function guidAt(bytes: Uint8Array): string | null {
  return bytes.length < 16 ? null : formatGuid(bytes);
}
