// A layered provider: connections to port 80 go to a server of your own on port 8080 of this host, and every byte is counted.
// docs/providers.md explains it line by line.

import { readSockaddr, sockaddrOf } from '../src/abi/index.ts';
import { IpAddress } from '../src/base/index.ts';
import { defineLayer } from '../src/spi/index.ts';

/** Bytes that went through, and connections that went elsewhere. */
export const counted = { sent: 0, received: 0, redirected: 0 };

const count = (answer: number | Promise<number>, add: (bytes: number) => void): number | Promise<number> => {
  if (typeof answer !== 'number') return answer.then((late) => count(late, add));
  if (answer > 0) add(answer);
  return answer;
};

export const WSPStartup = defineLayer(
  (next) => ({
    WSPConnect(s, name, namelen, ...rest) {
      const to = name === null ? null : readSockaddr(name.subarray(0, namelen));
      if (to?.port !== 80 || to.address.family !== 4) return next.WSPConnect(s, name, namelen, ...rest);
      counted.redirected++;
      const here = sockaddrOf(IpAddress.parse('127.0.0.1') ?? IpAddress.anyV4, 8080);
      return next.WSPConnect(s, here, here.length, ...rest);
    },
    WSPSend(s, ...rest) {
      return count(next.WSPSend(s, ...rest), (bytes) => {
        counted.sent += bytes;
      });
    },
    WSPRecv(s, ...rest) {
      return count(next.WSPRecv(s, ...rest), (bytes) => {
        counted.received += bytes;
      });
    },
  }),
  { name: 'redirect' },
);
