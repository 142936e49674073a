/**
 * Codes of winerror.h that overlapped records, completion ports and the extension functions answer, beside the WSA codes. Some
 * have the number of a WSA code, and its meaning.
 */

export const ERROR_ACCESS_DENIED = 5;
export const ERROR_INVALID_HANDLE = 6;
export const ERROR_NOT_ENOUGH_MEMORY = 8;
export const ERROR_NOT_READY = 21;
export const ERROR_BAD_COMMAND = 22;
/** A file was read past its end. */
export const ERROR_HANDLE_EOF = 38;
export const ERROR_NOT_SUPPORTED = 50;
export const ERROR_DUP_NAME = 52;
export const ERROR_UNEXP_NET_ERR = 59;
/** The connection was reset: WSAECONNRESET, as the rest of Windows calls it (SEM-IO-20). */
export const ERROR_NETNAME_DELETED = 64;
export const ERROR_INVALID_PARAMETER = 87;
/** That kind of information can't be set. */
export const ERROR_CALL_NOT_IMPLEMENTED = 120;
export const ERROR_SEM_TIMEOUT = 121;
/** A buffer is too small for what it is to hold: WSAEFAULT of an overlapped call. */
export const ERROR_INSUFFICIENT_BUFFER = 122;
export const ERROR_PIPE_NOT_CONNECTED = 233;
/** A message was cut: WSAEMSGSIZE. */
export const ERROR_MORE_DATA = 234;
/** Nothing was dequeued in time. */
export const WAIT_TIMEOUT = 258;
/** The completion port was closed meanwhile. */
export const ERROR_ABANDONED_WAIT_0 = 735;
export const ERROR_OPERATION_ABORTED = 995;
export const ERROR_IO_INCOMPLETE = 996;
export const ERROR_IO_PENDING = 997;
/** Nothing to cancel. */
export const ERROR_NOT_FOUND = 1168;
export const ERROR_CONNECTION_REFUSED = 1225;
export const ERROR_GRACEFUL_DISCONNECT = 1226;
export const ERROR_CONNECTION_ACTIVE = 1230;
export const ERROR_NETWORK_UNREACHABLE = 1231;
export const ERROR_HOST_UNREACHABLE = 1232;
export const ERROR_PORT_UNREACHABLE = 1234;
/** The connection was ended here. */
export const ERROR_CONNECTION_ABORTED = 1236;
export const ERROR_NO_SYSTEM_RESOURCES = 1450;
