/**
 * Registered I/O: a part of `winsockd/winsock/async`. Queues and buffers are numbers; a request is done when its queue has a result.
 */

import { promised } from '../promised.ts';

/**
 * Registers memory for requests.
 *
 * Errors: WSAEFAULT (no memory, or shorter than `DataLength`), WSAEINVAL (a length of 0)
 *
 * Source: API-RIORegisterBuffer
 * @param DataBuffer the memory, which is used until it is given back
 * @param DataLength its length in bytes
 * @returns its number
 * @example
 * ```ts
 * const id = await RIORegisterBuffer(Buffer.alloc(4096), 4096);
 * id !== RIO_INVALID_BUFFERID; // → true
 * ```
 */
export const RIORegisterBuffer = promised('RIORegisterBuffer');

/**
 * Gives registered memory back.
 *
 * Errors: none
 *
 * Source: API-RIODeregisterBuffer
 * @returns 0
 * @example
 * ```ts
 * const id = await RIORegisterBuffer(Buffer.alloc(4096), 4096);
 * await RIODeregisterBuffer(id); // → 0
 * ```
 */
export const RIODeregisterBuffer = promised('RIODeregisterBuffer');

/**
 * Makes a queue for results of requests.
 *
 * Errors: WSAEINVAL (a bad size, event or port)
 *
 * Source: API-RIOCreateCompletionQueue
 * @param QueueSize most results that it holds; up to RIO_MAX_CQ_SIZE
 * @param NotificationCompletion how `RIONotify` tells: an event object, or a packet at a completion port; `null`: not at all
 * @returns its number
 * @example
 * ```ts
 * const EventHandle = await WSACreateEvent();
 * const queue = await RIOCreateCompletionQueue(8, { Type: 1, EventHandle, NotifyReset: true });
 * await RIODequeueCompletion(queue, [], 8); // → 0
 * ```
 */
export const RIOCreateCompletionQueue = promised('RIOCreateCompletionQueue');

/**
 * Gives a completion queue back.
 *
 * Errors: none
 *
 * Source: API-RIOCloseCompletionQueue
 * @returns 0
 * @example
 * ```ts
 * const queue = await RIOCreateCompletionQueue(8, null);
 * await RIOCloseCompletionQueue(queue); // → 0
 * await RIODequeueCompletion(queue, [], 8); // → RIO_CORRUPT_CQ
 * ```
 */
export const RIOCloseCompletionQueue = promised('RIOCloseCompletionQueue');

/**
 * Makes the queue for requests of a socket.
 *
 * Errors: WSAEINVAL (bad counts or queues, or the socket has a queue), WSAENOBUFS (a completion queue is too small), WSAEOPNOTSUPP (made without WSA_FLAG_REGISTERED_IO),
 * WSAENOTSOCK
 *
 * Source: API-RIOCreateRequestQueue
 * @param MaxOutstandingReceive most receives under way
 * @param MaxReceiveDataBuffers 1
 * @param MaxOutstandingSend most sends under way
 * @param MaxSendDataBuffers 1
 * @param ReceiveCQ where receives' results go
 * @param SendCQ where sends' go
 * @param SocketContext anything: results carry it
 * @returns its number
 * @example
 * ```ts
 * const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO;
 * const d = await WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags);
 * const queue = await RIOCreateCompletionQueue(8, null);
 * const requests = await RIOCreateRequestQueue(d, 4, 1, 4, 1, queue, queue, 'd');
 * requests > 0; // → true
 * const failed = RIOCreateRequestQueue(u, 4, 1, 4, 1, queue, queue, null);
 * await failed.catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const RIOCreateRequestQueue = promised('RIOCreateRequestQueue');

/**
 * Receives into registered memory. A stream must be connected, a datagram socket bound.
 *
 * Errors: WSAEFAULT (a bad buffer number, or a part outside of it), WSAEINVAL (bad flags or queue), WSAENOBUFS (the queue is full); in the result's
 * `Status`: those of `recv`, WSA_OPERATION_ABORTED
 *
 * Source: API-RIOReceive
 * @param pData the part of a buffer; `null` with RIO_MSG_COMMIT_ONLY
 * @param DataBufferCount 0 or 1
 * @param Flags RIO_MSG_DONT_NOTIFY, RIO_MSG_DEFER, RIO_MSG_WAITALL, RIO_MSG_COMMIT_ONLY
 * @param RequestContext anything: the result carries it
 * @returns 1
 * @example
 * ```ts
 * const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO;
 * const d = await WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags);
 * await bind(d, at('10.0.0.1', 6000));
 * const queue = await RIOCreateCompletionQueue(8, null);
 * const requests = await RIOCreateRequestQueue(d, 4, 1, 4, 1, queue, queue, 'd');
 * const memory = Buffer.alloc(4096);
 * const BufferId = await RIORegisterBuffer(memory, 4096);
 * await RIOReceive(requests, { BufferId, Offset: 0, Length: 100 }, 1, 0, 'first'); // → 1
 * await peer.sendto(v, Buffer.from('hello'), 5, 0, at('10.0.0.1', 6000));
 * await SleepEx(1);
 * const results: RIORESULT[] = [];
 * await RIODequeueCompletion(queue, results, 8); // → 1
 * [results[0]?.BytesTransferred, results[0]?.RequestContext]; // → [5, 'first']
 * ```
 */
export const RIOReceive = promised('RIOReceive');

/**
 * As `RIOReceive`, with addresses, control data and flags, each in a part of registered memory.
 *
 * Errors: those of `RIOReceive`
 *
 * Source: API-RIOReceiveEx
 * @param pLocalAddress gets where to it was sent, as a SOCKADDR_INET; `null`: not asked for
 * @param pRemoteAddress gets the sender, as a SOCKADDR_INET; `null`: not asked for
 * @param pControlContext gets a RIO_CMSG_BUFFER with control data; `null`: none
 * @param pFlags gets the MSG_* flags, 4 bytes; `null`: not asked for
 * @returns 1
 * @example
 * ```ts
 * const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO;
 * const d = await WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags);
 * await bind(d, at('10.0.0.1', 6000));
 * const queue = await RIOCreateCompletionQueue(8, null);
 * const requests = await RIOCreateRequestQueue(d, 4, 1, 4, 1, queue, queue, 'd');
 * const memory = Buffer.alloc(4096);
 * const BufferId = await RIORegisterBuffer(memory, 4096);
 * const part = (Offset: number, Length: number) => ({ BufferId, Offset, Length });
 * await RIOReceiveEx(requests, part(0, 100), 1, null, part(100, 28), null, null, 0, 'first'); // → 1
 * await peer.sendto(v, Buffer.from('hello'), 5, 0, at('10.0.0.1', 6000));
 * await SleepEx(1);
 * const results: RIORESULT[] = [];
 * await RIODequeueCompletion(queue, results, 8); // → 1
 * formatSockaddr(memory.subarray(100, 116)); // → '10.0.0.2:5000'
 * ```
 */
export const RIOReceiveEx = promised('RIOReceiveEx');

/**
 * Sends from registered memory.
 *
 * Errors: those of `RIOReceive`; in the result's `Status`: those of `send`
 *
 * Source: API-RIOSend
 * @param pData the part of a buffer; `null` with RIO_MSG_COMMIT_ONLY
 * @param DataBufferCount 0 or 1
 * @param Flags RIO_MSG_DONT_NOTIFY, RIO_MSG_DEFER, RIO_MSG_COMMIT_ONLY
 * @param RequestContext anything: the result carries it
 * @returns 1
 * @example
 * ```ts
 * const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO;
 * const d = await WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags);
 * await connect(d, at('10.0.0.2', 5000));
 * const queue = await RIOCreateCompletionQueue(8, null);
 * const requests = await RIOCreateRequestQueue(d, 4, 1, 4, 1, queue, queue, 'd');
 * const BufferId = await RIORegisterBuffer(Buffer.from('hello'), 5);
 * await RIOSend(requests, { BufferId, Offset: 0, Length: 5 }, 1, 0, 'first'); // → 1
 * await peer.recv(v, Buffer.alloc(100)); // → 5
 * ```
 */
export const RIOSend = promised('RIOSend');

/**
 * As `RIOSend`, with a destination and control data, each in a part of registered memory.
 *
 * Errors: those of `RIOSend`, and WSAEINVAL (a local address, or a bad length)
 *
 * Source: API-RIOSendEx
 * @param pLocalAddress `null`
 * @param pRemoteAddress the destination, a SOCKADDR_INET of 28 bytes; `null`: the connected peer
 * @param pControlContext a RIO_CMSG_BUFFER with control data; `null`: none
 * @param pFlags `null`
 * @returns 1
 * @example
 * ```ts
 * const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO;
 * const d = await WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags);
 * await bind(d, at('10.0.0.1', 0));
 * const queue = await RIOCreateCompletionQueue(8, null);
 * const requests = await RIOCreateRequestQueue(d, 4, 1, 4, 1, queue, queue, 'd');
 * const memory = Buffer.concat([at('10.0.0.2', 5000), Buffer.alloc(12), Buffer.from('hello')]);
 * const BufferId = await RIORegisterBuffer(memory, memory.length);
 * const part = (Offset: number, Length: number) => ({ BufferId, Offset, Length });
 * await RIOSendEx(requests, part(28, 5), 1, null, part(0, 28), null, null, 0, 'first'); // → 1
 * await peer.recv(v, Buffer.alloc(100)); // → 5
 * ```
 */
export const RIOSendEx = promised('RIOSendEx');

/**
 * Takes results.
 *
 * Errors: none; RIO_CORRUPT_CQ for what is no queue
 *
 * Source: API-RIODequeueCompletion
 * @param results is emptied, and gets the results, oldest first
 * @param ArraySize most of them
 * @returns how many
 * @example
 * ```ts
 * const queue = await RIOCreateCompletionQueue(8, null);
 * await RIODequeueCompletion(queue, [], 8); // → 0
 * ```
 */
export const RIODequeueCompletion = promised('RIODequeueCompletion');

/**
 * Has a completion queue tell, once, that it has something: now, or as soon as it has.
 *
 * Errors: WSAEINVAL (no queue, or one that cannot tell), WSAEALREADY (it will)
 *
 * Source: API-RIONotify
 * @returns 0
 * @example
 * ```ts
 * const EventHandle = await WSACreateEvent();
 * const queue = await RIOCreateCompletionQueue(8, { Type: 1, EventHandle, NotifyReset: true });
 * await RIONotify(queue); // → 0
 * await RIONotify(queue).catch((e) => e.code); // → WSAEALREADY
 * ```
 */
export const RIONotify = promised('RIONotify');

/**
 * Changes the size of a completion queue.
 *
 * Errors: WSAEINVAL (no queue, or a bad size), WSAETOOMANYREFS (smaller than what its request queues may need)
 *
 * Source: API-RIOResizeCompletionQueue
 * @param QueueSize most results that it holds
 * @returns 1
 * @example
 * ```ts
 * const queue = await RIOCreateCompletionQueue(8, null);
 * await RIOResizeCompletionQueue(queue, 32); // → 1
 * ```
 */
export const RIOResizeCompletionQueue = promised('RIOResizeCompletionQueue');

/**
 * Changes how many requests may be under way on a socket.
 *
 * Errors: WSAEINVAL (no queue, or bad counts), WSAETOOMANYREFS (more are under way), WSAENOBUFS (a completion queue is too small)
 *
 * Source: API-RIOResizeRequestQueue
 * @param MaxOutstandingReceive most receives
 * @param MaxOutstandingSend most sends
 * @returns 1
 * @example
 * ```ts
 * const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO;
 * const d = await WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags);
 * const queue = await RIOCreateCompletionQueue(32, null);
 * const requests = await RIOCreateRequestQueue(d, 4, 1, 4, 1, queue, queue, 'd');
 * await RIOResizeRequestQueue(requests, 8, 8); // → 1
 * ```
 */
export const RIOResizeRequestQueue = promised('RIOResizeRequestQueue');
