import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  SOMAXCONN,
  SOMAXCONN_HINT,
  WSA_OPERATION_ABORTED,
  WSAEADDRINUSE,
  WSAEAFNOSUPPORT,
  WSAECONNRESET,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMFILE,
  WSAENETDOWN,
  WSAENOBUFS,
  WSAENOTSOCK,
  WSAEPROTONOSUPPORT,
  WSAESOCKTNOSUPPORT,
} from '../../../src/abi/index.ts';
import { DAEMON_POLICY, DEFAULT_LIMITS, normalizeBacklog, selectSocket } from '../../../src/afd/index.ts';
import { AfdOp, AfdPollEvent } from '../../../src/port/index.ts';
import { type Client, connectPair, createRig, datagramPair, dword, SERVER, stringOf } from './rig.ts';

describe('socket', () => {
  test.each([
    ['SEM-SOCK-10 unknown family, stream, TCP', 99, 1, 6, WSAEAFNOSUPPORT],
    ['SEM-SOCK-10 unknown family, stream, unknown', 99, 1, 200, WSAEAFNOSUPPORT],
    ['SEM-SOCK-11 unknown type, a protocol', AF_INET, 9, 6, WSAESOCKTNOSUPPORT],
    ['SEM-SOCK-11 unknown type and family, a protocol', 99, 9, 6, WSAESOCKTNOSUPPORT],
    ['SEM-SOCK-12 stream, unknown protocol', AF_INET, 1, 200, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-12 stream, protocol -1', AF_INET, 1, -1, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-13 stream over UDP', AF_INET, 1, 17, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-13 datagrams over TCP', AF_INET, 2, 6, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-15 unknown type, protocol 0', AF_INET, 9, 0, WSAESOCKTNOSUPPORT],
    ['SEM-SOCK-18 type 0, unknown protocol', AF_INET, 0, 200, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-19 no family, protocol 0', 0, 1, 0, WSAEINVAL],
    ['SEM-SOCK-21 no family, unknown protocol', 0, 1, 200, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-22 no family, unknown type, UDP', 0, 9, 17, WSAESOCKTNOSUPPORT],
  ])('%s', (_label, a, b, flags, error) => {
    const client = createRig().client.client();
    expect(client.call(AfdOp.socket, 0, { a, b, flags }).error).toBe(error);
  });

  test.each([
    ['SEM-SOCK-14', AF_INET, 1, 0, 1, 6],
    ['SEM-SOCK-14', AF_INET6, 2, 0, 2, 17],
    ['SEM-SOCK-14', AF_INET, 2, 0, 2, 17],
    ['SEM-SOCK-16', AF_INET, 0, 6, 1, 6],
    ['SEM-SOCK-16', AF_INET, 0, 17, 2, 17],
    ['SEM-SOCK-17', AF_INET, 0, 0, 1, 6],
    ['SEM-SOCK-20', 0, 1, 6, 1, 6],
    ['SEM-SOCK-20', 0, 0, 17, 2, 17],
  ])(
    '%s family %i, type %i, protocol %i is type %i, protocol %i',
    (_id, family, asked, wanted, type, protocol) => {
      expect(selectSocket(family, asked, wanted)).toEqual({ error: 0, type, protocol });
    },
  );

  test.each([
    ['SEM-BKLG-01', SOMAXCONN, 1024],
    ['SEM-BKLG-02', SOMAXCONN_HINT(50), 200],
    ['SEM-BKLG-02', SOMAXCONN_HINT(3000), 3000],
    ['SEM-BKLG-02', SOMAXCONN_HINT(100_000), 65_535],
    ['SEM-BKLG-03', 0, 1],
    ['SEM-BKLG-03', 5, 5],
    ['SEM-BKLG-03', 1_000_000, 1024],
    ['SEM-BKLG-02', -0x8000_0000, 65_535],
  ])('%s a backlog of %i is in force as %i', (_id, asked, inForce) => {
    expect(normalizeBacklog(asked)).toBe(inForce);
  });
});

describe('descriptors', () => {
  test('they start at 1, and the lowest unused one is taken first', () => {
    const client = createRig().client.client();
    const sockets = [1, 2, 3, 4].map(() => client.datagram());
    expect(sockets).toEqual([1, 2, 3, 4]);
    client.close(3);
    client.close(1);
    expect([client.datagram(), client.datagram(), client.datagram()]).toEqual([1, 3, 5]);
  });

  test('a session cannot use another’s descriptors', () => {
    const { client: machine } = createRig();
    const one = machine.client({ pid: 1 });
    const two = machine.client({ pid: 2 });
    const socket = one.datagram();
    expect(two.sockName(socket).error).toBe(WSAENOTSOCK);
    expect(two.close(socket).error).toBe(WSAENOTSOCK);
    expect(one.close(socket).error).toBe(0);
    expect(one.close(socket).error).toBe(WSAENOTSOCK);
  });
});

describe('limits', () => {
  test('SEM-C-07 past the sockets: WSAEMFILE, for accept too, and the connection stays queued', () => {
    const rig = createRig();
    const server = rig.server.client({}, { ...DEFAULT_LIMITS, sockets: 2 });
    const l = server.stream();
    server.bind(l, SERVER, 80);
    server.listen(l);
    const accepting = server.accept(l);
    const udp = server.datagram();
    expect(server.datagram()).toBe(-WSAEMFILE);
    const client = rig.client.client();
    client.connect(client.stream(), SERVER, 80);
    rig.run();
    expect(accepting.error).toBe(WSAEMFILE);
    expect(server.accept(l).error).toBe(WSAEMFILE);
    server.close(udp);
    expect(server.accept(l).error).toBe(0);
  });

  test('past the pending requests: WSAENOBUFS; one that ends makes room', () => {
    const rig = createRig();
    const client = rig.client.client({}, { ...DEFAULT_LIMITS, pendingRequests: 2 });
    const c = client.datagram();
    client.bind(c, '0.0.0.0', 5);
    const first = client.recv(c);
    client.recv(c);
    expect(client.recv(c).error).toBe(WSAENOBUFS);
    client.port.cancel(first.id);
    expect(client.recv(c).pended).toBe(true);
  });

  test('past the bytes: WSAENOBUFS for a receive, a short count for a send beyond the buffer', () => {
    const rig = createRig();
    const server = rig.server.client();
    const l = server.stream();
    server.bind(l, SERVER, 80);
    server.listen(l);
    server.setOption(l, SOL_SOCKET, SO_RCVBUF, dword(4096));
    const client = rig.client.client({}, { ...DEFAULT_LIMITS, bytes: 10_000 });
    const c = client.stream();
    client.connect(c, SERVER, 80);
    rig.run();
    expect(client.recv(c, 10_001).error).toBe(WSAENOBUFS);
    client.setOption(c, SOL_SOCKET, SO_SNDBUF, dword(4096));
    client.nonBlocking(c);
    const sending = client.send(c, new Uint8Array(100_000));
    expect([sending.error, sending.pended]).toEqual([0, false]);
    expect(sending.value).toBeGreaterThan(0);
    expect(sending.value).toBeLessThan(100_000);
    expect(rig.client.afd.sessions[0]?.bytes).toBe(0);
  });

  test('an id that pends cannot be used again', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    const receiving = client.recv(c);
    const again = client.port.submit({
      id: receiving.id,
      op: AfdOp.recv,
      descriptor: c,
      flags: 0,
      a: 0,
      b: 0,
      address: null,
      data: null,
      into: new Uint8Array(1),
    });
    expect(again?.error).toBe(WSAENOBUFS);
    expect(receiving.isDone).toBe(false);
  });
});

describe('cancelling', () => {
  test('each kind of request ends with WSA_OPERATION_ABORTED, once; unknown ids are ignored', () => {
    const rig = createRig();
    const { server, listener, s } = connectPair(rig);
    server.select(listener, 0);
    const pending = [
      server.recv(s),
      server.accept(listener, 0x4000_0000),
      server.poll([[s, AfdPollEvent.receive]], -1),
    ];
    for (const { id } of pending) {
      server.port.cancel(id);
      server.port.cancel(id);
    }
    server.port.cancel(12_345);
    expect(pending.map((each) => each.error)).toEqual([995, 995, 995]);
    expect(rig.server.afd.sessions[0]?.pendingRequests).toBe(0);
  });

  test('a receive behind a cancelled one gets the data', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const [first, second] = [server.recv(s, 9), server.recv(s, 9)];
    server.port.cancel(first.id);
    client.send(c, 'for two');
    rig.run();
    expect(second.value).toBe(7);
  });
});

describe('duplicating', () => {
  const open = (client: Client, data: Uint8Array | null) => client.call(AfdOp.open, 0, { data });
  const duplicate = (client: Client, d: number, pid: number) => client.call(AfdOp.duplicate, d, { a: pid });

  test('SEM-DUP-01 SEM-DUP-02 a token opens the same socket in the other process, once', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const child = rig.server.client({ pid: 300 });
    const { data } = duplicate(server, s, 300);
    expect(data).toHaveLength(16);
    const opened = open(child, data);
    expect(opened.error).toBe(0);
    expect(open(child, data).error).toBe(WSAEINVAL);
    child.send(opened.value, 'from the child');
    rig.run();
    expect(stringOf(client.recv(c, 14).into)).toBe('from the child');
    child.nonBlocking(opened.value);
    expect(server.recv(s).error).toBe(10_035);
  });

  test('SEM-DUP-01 it works for the own process; a wrong pid, user, length or no token is refused', () => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    expect(open(server, duplicate(server, s, 100).data).error).toBe(0);
    const { data } = duplicate(server, s, 300);
    expect(open(rig.server.client({ pid: 301 }), data).error).toBe(WSAEINVAL);
    expect(open(rig.server.client({ pid: 300, uid: 1001 }), data).error).toBe(WSAEINVAL);
    expect(open(rig.server.client({ pid: 300 }), new Uint8Array(15)).error).toBe(WSAEINVAL);
    expect(open(rig.server.client({ pid: 300 }), new Uint8Array(16)).error).toBe(WSAEINVAL);
    expect(open(server, null).error).toBe(WSAEFAULT);
    expect(open(rig.server.client({ pid: 300 }), data).error).toBe(0);
  });

  test('API-WSADuplicateSocket an unknown process is WSAEINVAL', () => {
    const rig = createRig({ policy: { ...DAEMON_POLICY, processExists: (pid) => pid === 300 } });
    const { server, s } = connectPair(rig);
    expect(duplicate(server, s, 301).error).toBe(WSAEINVAL);
    expect(duplicate(server, s, 0).error).toBe(WSAEINVAL);
    expect(duplicate(server, s, 300).error).toBe(0);
    expect(duplicate(server, 99, 300).error).toBe(WSAENOTSOCK);
  });

  test('SEM-DUP-03 the connection lives until the last descriptor is closed; requests of a closed one end', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const child = rig.server.client({ pid: 300 });
    const d = open(child, duplicate(server, s, 300).data).value;
    const receiving = server.recv(s);
    server.close(s);
    expect(receiving.error).toBe(WSA_OPERATION_ABORTED);
    expect(child.send(d, 'alive').error).toBe(0);
    rig.run();
    expect(client.recv(c).value).toBe(5);
    expect(rig.server.afd.describe().find((each) => each.state === 'ESTABLISHED')?.pids).toEqual([300]);
    child.close(d);
    rig.run();
    expect(client.recv(c)).toMatchObject({ error: 0, value: 0 });
  });

  test('the giver may close before the token is used; an unused token gives the socket up in the end', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const used = duplicate(server, s, 300).data;
    server.close(s);
    const child = rig.server.client({ pid: 300 });
    const d = open(child, used).value;
    expect(child.send(d, 'x').error).toBe(0);
    const unused = duplicate(child, d, 301).data;
    child.close(d);
    rig.run();
    expect(client.recv(c).value).toBe(1);
    rig.run(61_000);
    expect(client.recv(c).error).toBe(WSAECONNRESET);
    expect(open(rig.server.client({ pid: 301 }), unused).error).toBe(WSAEINVAL);
  });
});

describe('the end of a session', () => {
  test('everything that pends is aborted, connections are reset, ports are free, nothing is left', () => {
    const rig = createRig();
    const { server, client, listener, c, s } = connectPair(rig);
    const pending = [server.recv(s), server.accept(listener), server.poll([[s, AfdPollEvent.receive]], -1)];
    client.recv(c);
    server.port.close();
    expect(pending.map((each) => each.error)).toEqual([995, 995, 995]);
    expect(rig.server.afd.describe()).toEqual([]);
    expect(rig.server.afd.sessions).toEqual([]);
    rig.run();
    expect(client.recv(c).error).toBe(WSAECONNRESET);
    expect(rig.server.host.allocator.inUse).toBe(0);
    const next = rig.server.client({ pid: 101 });
    expect(next.bind(next.stream(), '0.0.0.0', 80)).toBe(0);
    server.port.close();
    expect(server.recv(s).error).toBe(WSAENETDOWN);
  });

  test('a socket that another process holds too lives on', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const child = rig.server.client({ pid: 300 });
    const { data } = server.call(AfdOp.duplicate, s, { a: 300 });
    const d = child.call(AfdOp.open, 0, { data }).value;
    server.port.close();
    expect(child.send(d, 'still here').value).toBe(10);
    rig.run();
    expect(client.recv(c).value).toBe(10);
    const other = rig.server.client({ pid: 5 });
    expect(other.bind(other.stream(), '0.0.0.0', 80)).toBe(0);
    expect(other.bind(other.stream(), '0.0.0.0', 80)).toBe(WSAEADDRINUSE);
  });

  test('a hundred connections opened and closed leave no socket and no byte', () => {
    const rig = createRig();
    const { server, client, listener } = connectPair(rig);
    for (let i = 0; i < 100; i++) {
      const c = client.stream();
      client.connect(c, SERVER, 80);
      rig.run(5);
      const s = server.accept(listener).value;
      client.send(c, 'x');
      server.recv(s);
      rig.run(5);
      client.close(c);
      server.close(s);
    }
    server.port.close();
    client.port.close();
    rig.run(300_000);
    expect(rig.server.afd.describe()).toEqual([]);
    expect([...rig.client.host.stack.endpoints()]).toEqual([]);
    expect(rig.server.host.allocator.inUse + rig.client.host.allocator.inUse).toBe(0);
  });

  test('closing the afd ends all sessions and what lingers', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.setOption(s, SOL_SOCKET, SO_RCVBUF, dword(4096));
    client.setOption(c, SOL_SOCKET, SO_SNDBUF, dword(4096));
    client.nonBlocking(c);
    client.send(c, new Uint8Array(200_000));
    client.close(c);
    expect(rig.client.afd.describe()).toHaveLength(1);
    rig.client.afd.close();
    expect(rig.client.afd.describe()).toEqual([]);
    rig.run(200_000);
    expect(server.recv(s).error).toBe(WSAECONNRESET);
  });
});

describe('completions', () => {
  test('a session that throws harms neither the room nor the others', () => {
    const faults: unknown[] = [];
    const rig = createRig({ policy: { ...DAEMON_POLICY, onFault: (error) => faults.push(error) } });
    const { server, client, s, c } = datagramPair(rig);
    const broken = rig.server.afd.openSession({ pid: 9, uid: 9, gid: 9 });
    broken.onComplete = () => {
      throw new Error('broken session');
    };
    const request = { flags: 0, a: 0, b: 0, address: null, data: null, into: null };
    const opened = broken.submit({ ...request, id: 1, op: AfdOp.socket, descriptor: 0, a: AF_INET, b: 2 });
    const d = opened?.value ?? 0;
    const name = new Uint8Array([2, 0, 0, 54, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    broken.submit({ ...request, id: 2, op: AfdOp.bind, descriptor: d, address: name });
    broken.submit({ ...request, id: 3, op: AfdOp.recv, descriptor: d, into: new Uint8Array(9) });
    const healthy = server.recv(s);
    client.sendTo(c, 'x', SERVER, 54);
    client.sendTo(c, 'x', SERVER, 53);
    rig.run();
    expect(faults).toHaveLength(1);
    expect(healthy.value).toBe(1);
    broken.close();
    expect(rig.server.afd.sessions).toHaveLength(1);
  });

  test('requests from inside onComplete work, and the answer of the outer call is not overwritten', () => {
    const rig = createRig();
    const { server, s, listener } = connectPair(rig);
    const answers: number[] = [];
    const forward = server.port.onComplete;
    server.recv(s);
    server.port.onComplete = (completion) => {
      forward(completion);
      answers.push(server.option(listener, SOL_SOCKET, SO_RCVBUF));
    };
    const closing = server.close(s);
    expect(closing).toMatchObject({ error: 0, value: 0, pended: false });
    expect(answers).toEqual([65_536]);
  });

  test('sessions take turns: one with many completions does not keep another waiting', () => {
    const rig = createRig();
    const { server, s } = datagramPair(rig);
    const child = rig.server.client({ pid: 300 });
    const { data } = server.call(AfdOp.duplicate, s, { a: 300 });
    const d = child.call(AfdOp.open, 0, { data }).value;
    for (let i = 0; i < 500; i++) server.recv(s);
    const waiting = child.recv(d);
    const order: string[] = [];
    server.port.onComplete = () => {
      order.push('busy');
      // Ends while the others are being told of theirs.
      child.port.cancel(waiting.id);
    };
    child.port.onComplete = () => order.push('quiet');
    server.port.close();
    expect(order).toHaveLength(501);
    expect(order.indexOf('quiet')).toBeLessThanOrEqual(64);
  });
});

describe('netstat', () => {
  test('each socket is described with its processes, addresses, state and queues', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    client.send(c, 'abc');
    rig.run();
    const lines = rig.server.afd.describe();
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ state: 'LISTEN', localAddress: '0.0.0.0', localPort: 80, pids: [100] });
    expect(lines[1]).toMatchObject({
      type: 1,
      protocol: 6,
      state: 'ESTABLISHED',
      localAddress: SERVER,
      localPort: 80,
      sendQueue: 0,
      receiveQueue: 3,
      uid: 1000,
      pids: [100],
    });
  });
});
