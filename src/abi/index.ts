/**
 * abi: Winsock's numbers and byte layouts (winsock2.h, ws2spi.h, ws2tcpip.h, mstcpip.h), under Microsoft's names.
 *
 * - `errors` the WSA codes, `error-text` their names and sentences, `ntstatus` and `win32-errors` the same in a record and to a port;
 *   `families`, `flags`, `options`, `ioctl` the constants, `option-layouts` the values of options;
 * - `sockaddr` socket addresses, `protocol-info` a catalog entry, `guid`, `structures`, `tcp-structures`,
 *   `address-structures` and `multicast-structures` what calls, options and ioctls carry;
 * - `secure-sockets` and `secure-structures` the SO_SSL_* control codes and what they carry;
 * - `name-flags` the numbers of the name functions; `host-structures`, `addrinfo`, `query-set` and `service-classes` what they
 *   carry; `packed` how a structure with pointers is one piece of bytes.
 *
 * Layouts are those of 64-bit Windows: little-endian, natural alignment. Readers answer `null` for bytes that are too
 * short and never look past the end; writers trust their caller to have made room and answer where they ended. A reader
 * copies what it returns: the bytes may be reused at once. Nothing here keeps state.
 */

export * from './address-structures.ts';
export * from './addrinfo.ts';
export * from './control-messages.ts';
export * from './error-text.ts';
export * from './errors.ts';
export * from './extension-ids.ts';
export * from './families.ts';
export * from './flags.ts';
export * from './guid.ts';
export * from './host-structures.ts';
export * from './icmp-structures.ts';
export * from './ioctl.ts';
export * from './macros.ts';
export * from './messages.ts';
export * from './multicast-structures.ts';
export * from './name-flags.ts';
export * from './ntstatus.ts';
export * from './option-layouts.ts';
export * from './options.ts';
export * from './overlapped-structures.ts';
export * from './packed.ts';
export * from './protocol-info.ts';
export * from './provider-info.ts';
export * from './query-set.ts';
export * from './secure-sockets.ts';
export * from './secure-structures.ts';
export * from './service-classes.ts';
export * from './service-types.ts';
export * from './sockaddr.ts';
export * from './structures.ts';
export * from './tcp-structures.ts';
export * from './win32-errors.ts';
