// A UDP echo server in Winsock's own calls, as promises. It links to the daemon that WINSOCKD_SOCKET names.
//
//   node examples/udp-echo.mjs [PORT]
import {
  AF_INET,
  attachedTo,
  bind,
  IPPROTO_UDP,
  MAKEWORD,
  recvfrom,
  SOCK_DGRAM,
  sendto,
  sockaddrOf,
  socket,
  WinsockError,
  WSAECONNRESET,
  WSAStartup,
} from 'winsockd/winsock/async';

const port = Number(process.argv[2] ?? 7);
await WSAStartup(MAKEWORD(2, 2), {});
const s = await socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
await bind(s, sockaddrOf('0.0.0.0', port));
console.log(`udp echo: bound to port ${port}, sockets of ${attachedTo()?.where}`);
process.once('SIGTERM', () => process.exit(0));

const datagram = new Uint8Array(65_535);
for (;;) {
  const from = new Uint8Array(16);
  try {
    const length = await recvfrom(s, datagram, datagram.length, 0, from);
    await sendto(s, datagram, length, 0, from);
  } catch (error) {
    // A peer that has gone answers with ICMP, which Windows reports on the next receive (SEM-IO-12).
    if (!(error instanceof WinsockError && error.code === WSAECONNRESET)) throw error;
  }
}
