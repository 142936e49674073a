/**
 * The error codes of winsock2.h and winerror.h that Winsock calls return, under Microsoft's names and with Microsoft's
 * numbers. Their sentences are in `error-text.ts`.
 */

/** No error: what a completion carries when its operation succeeded. */
export const NO_ERROR = 0;
/** The event handle is not valid. */
export const WSA_INVALID_HANDLE = 6;
/** Memory for the call could not be allocated. */
export const WSA_NOT_ENOUGH_MEMORY = 8;
/** A parameter of the call is out of range. */
export const WSA_INVALID_PARAMETER = 87;
/** The operation was cancelled before it finished. */
export const WSA_OPERATION_ABORTED = 995;
/** The overlapped operation has not finished yet. */
export const WSA_IO_INCOMPLETE = 996;
/** The overlapped operation was started and is under way. */
export const WSA_IO_PENDING = 997;
/** A blocking call was interrupted, or its socket was closed meanwhile. */
export const WSAEINTR = 10004;
/** The file handle is not valid. */
export const WSAEBADF = 10009;
/** The operation is not permitted to this socket or user. */
export const WSAEACCES = 10013;
/** A pointer is not readable, or a buffer is too small. */
export const WSAEFAULT = 10014;
/** An argument is not valid, or the socket is in the wrong state for the call. */
export const WSAEINVAL = 10022;
/** No more sockets can be opened. */
export const WSAEMFILE = 10024;
/** The call would have to wait, and the socket is non-blocking. */
export const WSAEWOULDBLOCK = 10035;
/** Another blocking call or a callback is still running. */
export const WSAEINPROGRESS = 10036;
/** An operation of this kind is already under way. */
export const WSAEALREADY = 10037;
/** The handle is not an open socket. */
export const WSAENOTSOCK = 10038;
/** No destination address was given. */
export const WSAEDESTADDRREQ = 10039;
/** The message does not fit: into a packet, or into the buffer it was received in. */
export const WSAEMSGSIZE = 10040;
/** The protocol does not fit the socket type. */
export const WSAEPROTOTYPE = 10041;
/** The option or control code does not exist for this socket. */
export const WSAENOPROTOOPT = 10042;
/** No provider offers the protocol for that family and type. */
export const WSAEPROTONOSUPPORT = 10043;
/** No provider offers the socket type. */
export const WSAESOCKTNOSUPPORT = 10044;
/** The operation does not exist for this kind of socket. */
export const WSAEOPNOTSUPP = 10045;
/** No provider offers the protocol family. */
export const WSAEPFNOSUPPORT = 10046;
/** The address family is not offered, or differs from the socket's. */
export const WSAEAFNOSUPPORT = 10047;
/** The address and port are already taken. */
export const WSAEADDRINUSE = 10048;
/** The address is not one of this host's, or the remote address or port is zero. */
export const WSAEADDRNOTAVAIL = 10049;
/** The network stack cannot be reached. */
export const WSAENETDOWN = 10050;
/** There is no route to that network. */
export const WSAENETUNREACH = 10051;
/** Keep-alive found the peer gone, or a datagram's time to live ran out on the way. */
export const WSAENETRESET = 10052;
/** The connection was ended on this side. */
export const WSAECONNABORTED = 10053;
/** The peer reset the connection, or nobody listens on the datagram's port. */
export const WSAECONNRESET = 10054;
/** There is no buffer space, or no port is left. */
export const WSAENOBUFS = 10055;
/** The socket is connected already. */
export const WSAEISCONN = 10056;
/** The socket is not connected. */
export const WSAENOTCONN = 10057;
/** That direction of the socket has been shut down. */
export const WSAESHUTDOWN = 10058;
/** There are too many references to an object. */
export const WSAETOOMANYREFS = 10059;
/** The peer did not answer in time, or the socket's own time-out ran out. */
export const WSAETIMEDOUT = 10060;
/** The peer refused the connection. */
export const WSAECONNREFUSED = 10061;
/** The name cannot be translated. */
export const WSAELOOP = 10062;
/** The name is too long. */
export const WSAENAMETOOLONG = 10063;
/** The destination host is down. */
export const WSAEHOSTDOWN = 10064;
/** There is no way to that host. */
export const WSAEHOSTUNREACH = 10065;
/** The directory is not empty. */
export const WSAENOTEMPTY = 10066;
/** Too many processes use the network stack. */
export const WSAEPROCLIM = 10067;
/** The user's quota is used up. */
export const WSAEUSERS = 10068;
/** The disk quota is used up. */
export const WSAEDQUOT = 10069;
/** The handle refers to something that is gone. */
export const WSAESTALE = 10070;
/** The item is not on this machine. */
export const WSAEREMOTE = 10071;
/** The network subsystem cannot be used yet. */
export const WSASYSNOTREADY = 10091;
/** The version of Winsock that was asked for is not offered. */
export const WSAVERNOTSUPPORTED = 10092;
/** WSAStartup has not succeeded in this process. */
export const WSANOTINITIALISED = 10093;
/** The peer closed the connection in good order. */
export const WSAEDISCON = 10101;
/** The lookup has no more results. */
export const WSAENOMORE = 10102;
/** The lookup was cancelled. */
export const WSAECANCELLED = 10103;
/** A service provider returned an incomplete function table. */
export const WSAEINVALIDPROCTABLE = 10104;
/** A service provider has another version, or is not in the catalog. */
export const WSAEINVALIDPROVIDER = 10105;
/** A service provider could not be loaded or started. */
export const WSAEPROVIDERFAILEDINIT = 10106;
/** A system call failed that ought not to fail. */
export const WSASYSCALLFAILURE = 10107;
/** The name space does not know the service. */
export const WSASERVICE_NOT_FOUND = 10108;
/** The service class is not known. */
export const WSATYPE_NOT_FOUND = 10109;
/** The lookup has no more results. */
export const WSA_E_NO_MORE = 10110;
/** The lookup was cancelled. */
export const WSA_E_CANCELLED = 10111;
/** The query was refused. */
export const WSAEREFUSED = 10112;
/** There is no host of that name. */
export const WSAHOST_NOT_FOUND = 11001;
/** The name server could not answer now. */
export const WSATRY_AGAIN = 11002;
/** The lookup failed for good. */
export const WSANO_RECOVERY = 11003;
/** The name exists, but has no record of the kind that was asked for. */
export const WSANO_DATA = 11004;
/** At least one reservation has arrived. */
export const WSA_QOS_RECEIVERS = 11005;
/** At least one path message has arrived. */
export const WSA_QOS_SENDERS = 11006;
/** There are no senders of the flow. */
export const WSA_QOS_NO_SENDERS = 11007;
/** There are no receivers of the flow. */
export const WSA_QOS_NO_RECEIVERS = 11008;
/** The reservation was confirmed. */
export const WSA_QOS_REQUEST_CONFIRMED = 11009;
/** Resources for the flow are lacking. */
export const WSA_QOS_ADMISSION_FAILURE = 11010;
/** Policy refuses the flow. */
export const WSA_QOS_POLICY_FAILURE = 11011;
/** The filter style is unknown or conflicts. */
export const WSA_QOS_BAD_STYLE = 11012;
/** A part of the flow description is malformed. */
export const WSA_QOS_BAD_OBJECT = 11013;
/** Traffic control failed. */
export const WSA_QOS_TRAFFIC_CTRL_ERROR = 11014;
/** Quality of service failed without a closer cause. */
export const WSA_QOS_GENERIC_ERROR = 11015;
/** The service type is not valid. */
export const WSA_QOS_ESERVICETYPE = 11016;
/** The flow specification is not valid. */
export const WSA_QOS_EFLOWSPEC = 11017;
/** The provider-specific buffer is not valid. */
export const WSA_QOS_EPROVSPECBUF = 11018;
/** The filter style is not valid. */
export const WSA_QOS_EFILTERSTYLE = 11019;
/** The filter type is not valid. */
export const WSA_QOS_EFILTERTYPE = 11020;
/** The number of filters is not valid. */
export const WSA_QOS_EFILTERCOUNT = 11021;
/** An object's length is not valid. */
export const WSA_QOS_EOBJLENGTH = 11022;
/** The number of flow descriptors is not valid. */
export const WSA_QOS_EFLOWCOUNT = 11023;
/** A provider-specific object is unknown. */
export const WSA_QOS_EUNKOWNPSOBJ = 11024;
/** A policy object is not valid. */
export const WSA_QOS_EPOLICYOBJ = 11025;
/** A flow descriptor is not valid. */
export const WSA_QOS_EFLOWDESC = 11026;
/** A provider-specific flow specification is not valid. */
export const WSA_QOS_EPSFLOWSPEC = 11027;
/** A provider-specific filter is not valid. */
export const WSA_QOS_EPSFILTERSPEC = 11028;
/** A shape-discard-mode object is not valid. */
export const WSA_QOS_ESDMODEOBJ = 11029;
/** A shaping-rate object is not valid. */
export const WSA_QOS_ESHAPERATEOBJ = 11030;
/** A reserved policy element was found. */
export const WSA_QOS_RESERVED_PETYPE = 11031;
/** The other name of {@link WSANO_DATA}. */
export const WSANO_ADDRESS = WSANO_DATA;
