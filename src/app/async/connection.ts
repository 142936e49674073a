/**
 * What gives a socket its names and its peer: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * Gives a socket its local address. Never waits.
 *
 * Errors: WSAEFAULT (no name, or a short one), WSAEAFNOSUPPORT (of another family), WSAEADDRNOTAVAIL (no address of this host, or a
 * bad zone), WSAEADDRINUSE (somebody has it, and the sharing options do not allow two), WSAEACCES (its owner wants it for itself),
 * WSAEINVAL (bound already)
 *
 * Source: API-bind, SEM-BIND-*
 * @param name a sockaddr; port 0: a free one; the address 0.0.0.0 or ::: all of this host's
 * @param namelen its length in bytes
 * @returns 0
 * @example
 * ```ts
 * const server = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * await bind(server, at('10.0.0.1', 8080)); // → 0
 * await bind(server, at('10.0.0.1', 8081)).catch((e) => e.code); // → WSAEINVAL
 * ```
 */
export const bind = promised('bind');

/**
 * Makes a bound stream socket wait for connections. Never waits itself.
 *
 * Errors: WSAEINVAL (not bound), WSAEISCONN (connected), WSAEOPNOTSUPP (no stream), WSAEADDRINUSE (the port was taken meanwhile)
 *
 * Source: API-listen, SEM-BKLG-01 … SEM-BKLG-07
 * @param backlog how many connections may wait to be accepted; SOMAXCONN: as many as the provider likes
 * @returns 0
 * @example
 * ```ts
 * const server = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * await listen(server, 5).catch((e) => e.code); // → WSAEINVAL
 * await bind(server, at('0.0.0.0', 0));
 * await listen(server, SOMAXCONN); // → 0
 * ```
 */
export const listen = promised('listen');

/**
 * Takes the oldest connection that waits; waits for one unless the socket is non-blocking. The new socket has the listener's
 * options, mode and event registration.
 *
 * Errors: WSAEINVAL (not listening), WSAEWOULDBLOCK (none waits), WSAEOPNOTSUPP (no stream), WSAEMFILE (too many sockets),
 * WSAECONNRESET (the peer is gone already), WSAEFAULT (`addr` is too short), WSAEINTR (closed meanwhile)
 *
 * Source: API-accept, SEM-ACC-01 … SEM-ACC-06
 * @param s a listening socket
 * @param addr gets the peer's sockaddr; `null`: not asked for
 * @param addrlen the room in `addr` in bytes, then the sockaddr's length
 * @returns the connection's SOCKET
 * @example
 * ```ts
 * const client = await peer.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * await peer.bind(client, at('10.0.0.2', 9000));
 * await peer.connect(client, at('10.0.0.1', 80));
 * const from = new Uint8Array(SOCKADDR_IN_LEN);
 * const connection = await accept(listener, from, { value: from.length });
 * formatSockaddr(from); // → '10.0.0.2:9000'
 * await send(connection, Buffer.from('hello')); // → 5
 * ```
 */
export const accept = promised('accept');

/**
 * As `accept`, but a function decides about the connection first: CF_ACCEPT, CF_REJECT (the peer is reset), or CF_DEFER (it stays
 * in the queue).
 *
 * Errors: those of `accept`, and WSAECONNREFUSED (rejected), WSATRY_AGAIN (deferred), WSAEINVAL (the function answered something
 * else)
 *
 * Source: API-WSAAccept, SEM-COND-01 … SEM-COND-06
 * @param lpfnCondition is told the caller's and the callee's sockaddr; `null`: accepts
 * @param dwCallbackData is handed to it
 * @returns the connection's SOCKET
 * @example
 * ```ts
 * const client = await peer.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * await peer.connect(client, at('10.0.0.1', 80));
 * const reject = () => CF_REJECT;
 * await WSAAccept(listener, null, null, reject).catch((e) => e.code); // → WSAECONNREFUSED
 * ```
 */
export const WSAAccept = promised('WSAAccept');

/**
 * Connects a stream, or names a datagram socket's peer (which may be done again; 0.0.0.0 takes it back). An unbound socket is bound.
 *
 * Errors: WSAEWOULDBLOCK (non-blocking: under way), WSAEALREADY (under way already), WSAEISCONN (connected), WSAEINVAL (listening, or
 * an overlapped connect or accept pends), WSAECONNREFUSED, WSAETIMEDOUT, WSAENETUNREACH, WSAEHOSTUNREACH, WSAEADDRNOTAVAIL (address
 * any or port 0), WSAEAFNOSUPPORT (another family), WSAEADDRINUSE (the pair is in use), WSAEACCES (broadcast without SO_BROADCAST),
 * WSAEFAULT (a short name), WSAEINTR (closed meanwhile)
 *
 * Source: API-connect, SEM-CONN-01 … SEM-CONN-19
 * @param name the peer's sockaddr
 * @param namelen its length in bytes
 * @returns 0
 * @example
 * ```ts
 * const client = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * await connect(client, at('10.0.0.2', 81)).catch((e) => e.code); // → WSAECONNREFUSED
 * await connect(client, at('10.0.0.2', 80)); // → 0
 * ```
 */
export const connect = promised('connect');

/**
 * As `connect`, with connect data and wishes for quality of service, which no IP provider can carry.
 *
 * Errors: those of `connect`, and WSAEPROTONOSUPPORT (data for the peer), WSAEFAULT
 *
 * Source: API-WSAConnect
 * @param lpCallerData data for the peer; `null`: none
 * @param lpCalleeData gets the peer's: its length becomes 0
 * @param lpSQOS wishes, which layers may look at; `null`: none
 * @param lpGQOS is reserved: `null`
 * @returns 0
 * @example
 * ```ts
 * const client = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * const name = at('10.0.0.2', 80);
 * await WSAConnect(client, name, name.length, null, null, null, null); // → 0
 * ```
 */
export const WSAConnect = promised('WSAConnect');

/**
 * Looks a name up and connects a stream to the first of its addresses that answers. Waits, whatever the socket's mode. A socket of
 * AF_INET6 without IPV6_V6ONLY tries the IPv4 addresses, too.
 *
 * Errors: WSAEINVAL (a name is missing, a bad time limit, or `Reserved` is not null), WSAHOST_NOT_FOUND, WSANO_DATA, WSAETIMEDOUT,
 * WSAEHOSTUNREACH, WSAECONNREFUSED, WSAEFAULT (an address's place is too short)
 *
 * Source: API-WSAConnectByName
 * @param nodename a name or a numeric address
 * @param servicename a service's name or a port
 * @param LocalAddressLength room in bytes, then length, of `LocalAddress`, which gets the socket's own address; `null`: not asked for
 * @param RemoteAddressLength likewise for the address that answered
 * @param timeout for lookup and attempts together; `null`: none
 * @param Reserved `null`
 * @returns 1
 * @example
 * ```ts
 * const client = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * const remote = new Uint8Array(SOCKADDR_IN_LEN);
 * await WSAConnectByName(client, '10.0.0.2', 'http', null, null, { value: 16 }, remote); // → 1
 * formatSockaddr(remote); // → '10.0.0.2:80'
 * ```
 */
export const WSAConnectByName = promised('WSAConnectByName');

/**
 * Connects a stream to the first of several addresses that answers, in their order. Waits, whatever the socket's mode.
 *
 * Errors: WSAEINVAL (no address, a bad time limit, or `Reserved` is not null), WSAETIMEDOUT, WSAEHOSTUNREACH, WSAECONNREFUSED,
 * WSAEAFNOSUPPORT, WSAEFAULT
 *
 * Source: API-WSAConnectByList
 * @param SocketAddress sockaddrs; those of IPv4 are v4-mapped for a socket of AF_INET6
 * @param timeout for all attempts together; `null`: none
 * @returns 1
 * @example
 * ```ts
 * const client = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * await WSAConnectByList(client, [at('10.0.0.2', 81), at('10.0.0.2', 80)]); // → 1
 * ```
 */
export const WSAConnectByList = promised('WSAConnectByList');

/**
 * Joins a multipoint session: of IP, the group of that address, to hear it, to send to it, or both.
 *
 * Errors: WSAEINVAL (the socket was made without multipoint flags, or bad `dwFlags`), WSAEADDRNOTAVAIL (no group),
 * WSAEPROTONOSUPPORT (data for the peers), WSAEAFNOSUPPORT, WSAEFAULT
 *
 * Source: API-WSAJoinLeaf, SEM-MP-01 … SEM-MP-07
 * @param name the group's sockaddr, with the port
 * @param dwFlags JL_SENDER_ONLY, JL_RECEIVER_ONLY or JL_BOTH
 * @returns the leaf's SOCKET: `s` itself
 * @example
 * ```ts
 * const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF;
 * const member = await WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags);
 * const group = at('239.1.2.3', 6000);
 * const leaf = await WSAJoinLeaf(member, group, group.length, null, null, null, null, JL_BOTH);
 * leaf === member; // → true
 * ```
 */
export const WSAJoinLeaf = promised('WSAJoinLeaf');

/**
 * Ends one or both directions of a socket, which stays open. Never waits. Doing it again succeeds.
 *
 * Errors: WSAEINVAL (another `how`), WSAENOTCONN (a stream that is not connected), WSAECONNRESET, WSAECONNABORTED
 *
 * Source: API-shutdown, SEM-SHUT-01 … SEM-SHUT-12
 * @param how SD_SEND: the peer reads to the end; SD_RECEIVE: receives fail with WSAESHUTDOWN; SD_BOTH
 * @returns 0
 * @example
 * ```ts
 * await shutdown(s, SD_SEND); // → 0
 * await peer.recv(t, Buffer.alloc(10)); // → 0
 * await send(s, Buffer.from('more')).catch((e) => e.code); // → WSAESHUTDOWN
 * ```
 */
export const shutdown = promised('shutdown');

/**
 * `shutdown(SD_SEND)`, with data that TCP cannot carry.
 *
 * Errors: WSAENOTCONN, WSAENOPROTOOPT (data was given)
 *
 * Source: API-WSASendDisconnect, SEM-SHUT-12
 * @param lpOutboundDisconnectData `null`
 * @returns 0
 * @example
 * ```ts
 * await WSASendDisconnect(s); // → 0
 * await peer.recv(t, Buffer.alloc(10)); // → 0
 * ```
 */
export const WSASendDisconnect = promised('WSASendDisconnect');

/**
 * `shutdown(SD_RECEIVE)`, with a place for data that TCP cannot carry.
 *
 * Errors: WSAENOTCONN, WSAENOPROTOOPT (a place was given)
 *
 * Source: API-WSARecvDisconnect, SEM-SHUT-02
 * @param lpInboundDisconnectData `null`
 * @returns 0
 * @example
 * ```ts
 * await WSARecvDisconnect(s); // → 0
 * await recv(s, Buffer.alloc(10)).catch((e) => e.code); // → WSAESHUTDOWN
 * ```
 */
export const WSARecvDisconnect = promised('WSARecvDisconnect');

/**
 * The socket's own address.
 *
 * Errors: WSAEINVAL (not bound), WSAEFAULT (too little room; `namelen` stays as it is)
 *
 * Source: API-getsockname, SEM-STATE-07
 * @param name gets the sockaddr
 * @param namelen its room in bytes, then its length
 * @returns 0
 * @example
 * ```ts
 * const name = new Uint8Array(SOCKADDR_IN_LEN);
 * await getsockname(u, name, { value: name.length }); // → 0
 * formatSockaddr(name); // → '10.0.0.1:5000'
 * ```
 */
export const getsockname = promised('getsockname');

/**
 * The peer's address.
 *
 * Errors: WSAENOTCONN (not connected), WSAEFAULT (too little room; `namelen` stays as it is)
 *
 * Source: API-getpeername, SEM-SHUT-10
 * @param name gets the sockaddr
 * @param namelen its room in bytes, then its length
 * @returns 0
 * @example
 * ```ts
 * const name = new Uint8Array(SOCKADDR_IN_LEN);
 * await getpeername(s, name, { value: name.length }); // → 0
 * formatSockaddr(name); // → '10.0.0.2:80'
 * ```
 */
export const getpeername = promised('getpeername');
