import { expect, test } from '@jest/globals';
import {
  MSG_OOB,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
  SD_SEND,
  SO_LINGER,
  SO_OOBINLINE,
  SOL_SOCKET,
  WSAEFAULT,
  WSAEWOULDBLOCK,
} from '../../src/abi/index.ts';
import type { WSAPOLLFD } from '../../src/spi/index.ts';
import { ADDRESS_B } from './attachment.ts';
import {
  bound,
  connected,
  datagramPair,
  int,
  listening,
  name,
  nonBlocking,
  ok,
  overEveryAttachment,
  type Pair,
  ready,
  tcp,
  text,
  udp,
} from './support.ts';

/**
 * WSAPoll flag by flag: a socket in a state, what is asked of it, what it answers. The flags are written by their names:
 * what a program can ask is RDNORM, RDBAND, WRNORM, IN (both of the first) and OUT (the third).
 */

const FLAGS: Readonly<Record<string, number>> = {
  '': 0,
  RDNORM: POLLRDNORM,
  RDBAND: POLLRDBAND,
  IN: POLLIN,
  OUT: POLLOUT,
  'IN OUT': POLLIN | POLLOUT,
};

function written(revents: number): string {
  const names: string[] = [];
  for (const [flag, text] of [
    [POLLRDNORM, 'RDNORM'],
    [POLLRDBAND, 'RDBAND'],
    [POLLWRNORM, 'WRNORM'],
    [POLLERR, 'ERR'],
    [POLLHUP, 'HUP'],
    [POLLNVAL, 'NVAL'],
  ] as const) {
    if ((revents & flag) !== 0) names.push(text);
  }
  return names.join(' ');
}

interface State {
  readonly title: string;
  /** Brings host b's socket into the state. @returns it */
  readonly arrange: (pair: Pair) => Promise<number>;
  /** By what is asked: what is answered. */
  readonly answers: Readonly<Record<string, string>>;
}

/** Waits until a poll reports one of `flags`, whatever was asked. */
async function until(pair: Pair, s: number, events: number, flags: number): Promise<void> {
  const fds = [{ fd: s, events, revents: 0 }];
  await ok(pair.b.WSAPoll(fds, 1, -1));
  expect((fds[0]?.revents ?? 0) & flags).not.toBe(0);
}

const STATES: readonly State[] = [
  {
    title: 'a fresh stream',
    arrange: ({ b }) => tcp(b),
    answers: { '': '', RDNORM: '', RDBAND: '', IN: '', OUT: '', 'IN OUT': '' },
  },
  {
    title: 'a fresh datagram socket',
    arrange: ({ b }) => udp(b),
    answers: { '': '', RDNORM: '', RDBAND: '', IN: '', OUT: 'WRNORM', 'IN OUT': 'WRNORM' },
  },
  {
    title: 'SEM-POLL-04 a datagram that waits',
    async arrange(pair) {
      const { s, peer, peerPort } = await datagramPair(pair);
      await ok(pair.a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, peerPort)));
      await ready(pair.b, peer);
      return peer;
    },
    answers: { '': '', RDNORM: 'RDNORM', RDBAND: '', IN: 'RDNORM', OUT: 'WRNORM', 'IN OUT': 'RDNORM WRNORM' },
  },
  {
    title: 'SEM-POLL-04 a listener without a connection',
    arrange: async ({ b }) => (await listening(b)).s,
    answers: { '': '', RDNORM: '', RDBAND: '', IN: '', OUT: '', 'IN OUT': '' },
  },
  {
    title: 'SEM-POLL-04 a listener with a connection',
    async arrange({ a, b }) {
      const { s, port } = await listening(b);
      await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
      await ready(b, s);
      return s;
    },
    answers: { '': '', RDNORM: 'RDNORM', RDBAND: '', IN: 'RDNORM', OUT: '', 'IN OUT': 'RDNORM' },
  },
  {
    title: 'a connected stream',
    arrange: async (pair) => (await connected(pair)).server,
    answers: { '': '', RDNORM: '', RDBAND: '', IN: '', OUT: 'WRNORM', 'IN OUT': 'WRNORM' },
  },
  {
    title: 'SEM-POLL-04 data',
    async arrange(pair) {
      const { client, server } = await connected(pair);
      await ok(pair.a.send(client, text('x')));
      await ready(pair.b, server);
      return server;
    },
    answers: { '': '', RDNORM: 'RDNORM', RDBAND: '', IN: 'RDNORM', OUT: 'WRNORM', 'IN OUT': 'RDNORM WRNORM' },
  },
  {
    title: 'SEM-POLL-04 an urgent byte',
    async arrange(pair) {
      const { client, server } = await connected(pair);
      await ok(pair.a.send(client, text('!'), 1, MSG_OOB));
      await ready(pair.b, server, 'except');
      return server;
    },
    answers: { '': '', RDNORM: '', RDBAND: 'RDBAND', IN: 'RDBAND', OUT: 'WRNORM', 'IN OUT': 'RDBAND WRNORM' },
  },
  {
    title: 'SEM-POLL-04 an urgent byte inline',
    async arrange(pair) {
      const { client, server } = await connected(pair);
      await ok(pair.b.setsockopt(server, SOL_SOCKET, SO_OOBINLINE, int(1)));
      await ok(pair.a.send(client, text('!'), 1, MSG_OOB));
      await ready(pair.b, server);
      return server;
    },
    answers: { '': '', RDNORM: 'RDNORM', RDBAND: '', IN: 'RDNORM', OUT: 'WRNORM', 'IN OUT': 'RDNORM WRNORM' },
  },
  {
    title: 'SEM-POLL-05 the peer’s FIN',
    async arrange(pair) {
      const { client, server } = await connected(pair);
      await ok(pair.a.shutdown(client, SD_SEND));
      await until(pair, server, 0, POLLHUP);
      return server;
    },
    answers: {
      '': 'HUP',
      RDNORM: 'HUP',
      RDBAND: 'HUP',
      IN: 'HUP',
      OUT: 'WRNORM HUP',
      'IN OUT': 'WRNORM HUP',
    },
  },
  {
    title: 'SEM-POLL-05 data before the peer’s FIN',
    async arrange(pair) {
      const { client, server } = await connected(pair);
      await ok(pair.a.send(client, text('x')));
      await ok(pair.a.shutdown(client, SD_SEND));
      await until(pair, server, 0, POLLHUP);
      return server;
    },
    answers: {
      '': 'HUP',
      RDNORM: 'RDNORM HUP',
      RDBAND: 'HUP',
      IN: 'RDNORM HUP',
      OUT: 'WRNORM HUP',
      'IN OUT': 'RDNORM WRNORM HUP',
    },
  },
  {
    title: 'SEM-POLL-06 a reset',
    async arrange(pair) {
      const { client, server } = await connected(pair);
      await ok(pair.a.setsockopt(client, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
      await ok(pair.a.closesocket(client));
      await until(pair, server, 0, POLLERR);
      return server;
    },
    answers: Object.fromEntries(Object.keys(FLAGS).map((asked) => [asked, 'WRNORM ERR HUP'])),
  },
  {
    title: 'SEM-POLL-07 a failed connect',
    async arrange({ b }) {
      const s = await tcp(b);
      await nonBlocking(b, s);
      expect(await b.connect(s, name('10.0.0.1', 9))).toBe(-WSAEWOULDBLOCK);
      await ready(b, s, 'except');
      return s;
    },
    answers: Object.fromEntries(Object.keys(FLAGS).map((asked) => [asked, 'WRNORM ERR HUP'])),
  },
];

test('SEM-POLL-09 the numbers of the flags', () => {
  expect([POLLRDNORM, POLLRDBAND, POLLIN, POLLPRI, POLLWRNORM, POLLOUT, POLLWRBAND]).toEqual([
    0x100, 0x200, 0x300, 0x400, 0x10, 0x10, 0x20,
  ]);
  expect([POLLERR, POLLHUP, POLLNVAL]).toEqual([1, 2, 4]);
});

overEveryAttachment('WSAPoll by state', (pair) => {
  test.each(STATES)('API-WSAPoll: $title', async ({ arrange, answers }) => {
    const hosts = await pair();
    const s = await arrange(hosts);
    const found: Record<string, string> = {};
    for (const asked of Object.keys(answers)) {
      const fds: WSAPOLLFD[] = [{ fd: s, events: FLAGS[asked] ?? 0, revents: -1 }];
      const count = await hosts.b.WSAPoll(fds, 1, 0);
      found[asked] = written(fds[0]?.revents ?? -1);
      expect(count).toBe(found[asked] === '' ? 0 : 1);
    }
    expect(found).toEqual(answers);
  });

  test('API-WSAPoll: one socket may stand in several entries, each with its own answer', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('x')));
    await ready(b, server);
    const fds = [POLLIN, POLLOUT, 0, POLLRDBAND].map((events) => ({ fd: server, events, revents: -1 }));
    expect(await b.WSAPoll(fds, 4, -1)).toBe(2);
    expect(fds.map(({ revents }) => written(revents))).toEqual(['RDNORM', 'WRNORM', '', '']);
  });

  test('API-WSAPoll looks at the first nfds entries only', async () => {
    const { b } = await pair();
    const { s } = await bound(b, udp);
    const fds = [
      { fd: s, events: POLLOUT, revents: -1 },
      { fd: 4444, events: POLLERR, revents: -1 },
    ];
    expect(await b.WSAPoll(fds, 1, 0)).toBe(1);
    expect(fds[1]?.revents).toBe(-1);
    expect(await b.WSAPoll([null as unknown as WSAPOLLFD], 1, 0)).toBe(-WSAEFAULT);
  });

  test('API-WSAPoll takes INFINITE for −1', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const fds = [{ fd: peer, events: POLLIN, revents: 0 }];
    const polling = b.WSAPoll(fds, 1, 0xffff_ffff);
    await ok(a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, peerPort)));
    expect(await polling).toBe(1);
    expect(fds[0]?.revents).toBe(POLLRDNORM);
  });
});
