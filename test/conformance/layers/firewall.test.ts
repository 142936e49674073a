/**
 * The firewall layer in a chain: what is denied and where to it is redirected, by every way out and in.
 */

import { afterEach, describe, expect, test } from '@jest/globals';
import {
  parseGuid,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SO_UPDATE_ACCEPT_CONTEXT,
  SOL_SOCKET,
  WSAEACCES,
  WSAECONNRESET,
  WSAEPROVIDERFAILEDINIT,
  WSAEWOULDBLOCK,
  WSAID_WSASENDMSG,
} from '../../../src/abi/index.ts';
import { type FirewallRecord, firewall, parseRules } from '../../../src/layers/firewall/index.ts';
import {
  type Application,
  type ExtensionFunctions,
  functionAt,
  readPointer,
} from '../../../src/spi/index.ts';
import { passThrough } from '../../support/chains.ts';
import { ECHO_CLIENTS, echoOver, pattern } from '../../support/echo-models.ts';
import { type LayeredHosts, layeredHosts } from '../../support/layered-hosts.ts';
import { ADDRESS_A, ADDRESS_B } from '../attachment.ts';
import { pending, recordWithEvent } from '../overlapped-support.ts';
import {
  bound,
  int,
  listening,
  name,
  nameIn,
  nonBlocking,
  ok,
  ready,
  receiveText,
  tcp,
  text,
  udp,
} from '../support.ts';

let hosts: LayeredHosts;
afterEach(() => hosts.close());

/** Host a behind a firewall with those rules. */
function guarded(rules: readonly object[], defaults: unknown = 'allow'): FirewallRecord[] {
  const told: FirewallRecord[] = [];
  const startup = firewall({
    rules: parseRules(JSON.stringify({ default: defaults, rules })),
    application: { programs: ['/opt/app'], users: ['alice'] },
    log: (record) => void told.push(record),
  });
  hosts = layeredHosts([{ startup, isIfs: true }]);
  return told;
}

describe('what goes out', () => {
  test.each(ECHO_CLIENTS)(
    'what is allowed is as without a firewall: an echo exchange with %s, over and under another layer',
    async (_model, client) => {
      const startup = firewall({ rules: parseRules('{}'), application: { programs: [], users: [] } });
      hosts = layeredHosts([passThrough(), { startup, isIfs: true }, passThrough({ handles: 'own' })]);
      const bytes = pattern(20_000);
      expect(await echoOver(hosts.a, hosts.b, client, ADDRESS_B, bytes)).toEqual(Buffer.from(bytes));
      expect(hosts.faults).toEqual([]);
    },
  );

  test.each<[Application, boolean]>([
    [{ path: '/opt/old/app.mjs', extra: '', programs: ['/usr/bin/node', '/opt/old/app.mjs'] }, true],
    [{ path: '/opt/old/program', extra: '-v', pid: 1 }, true],
    [{ path: '/opt/new/program', extra: '/opt/old/app.mjs' }, false],
  ])('a rule about a program is about whose calls come: %j', async (application, isDenied) => {
    const rules = parseRules('{ "rules": [{ "action": "deny", "program": "/opt/old/*" }] }');
    const told: FirewallRecord[] = [];
    const startup = firewall({ rules, log: (record) => void told.push(record) });
    hosts = layeredHosts([{ startup, isIfs: true }], application);
    const { port } = await listening(hosts.b);
    const answer = await hosts.a.connect(await tcp(hosts.a), name(ADDRESS_B, port));
    expect(answer).toBe(isDenied ? -WSAEACCES : 0);
    expect(told[0]).toMatchObject({ program: application.path, pid: application.pid ?? process.pid });
  });

  test('a denied connect is WSAEACCES before anything is sent, blocking or not, and the socket can go elsewhere', async () => {
    const told = guarded([{ name: 'nine', action: 'deny', remotePort: 9 }]);
    const { s: listener, port } = await listening(hosts.b);
    const s = await tcp(hosts.a);
    expect(await hosts.a.connect(s, name(ADDRESS_B, 9))).toBe(-WSAEACCES);
    await nonBlocking(hosts.a, s);
    expect(await hosts.a.connect(s, name(ADDRESS_B, 9))).toBe(-WSAEACCES);
    expect(hosts.frames).toEqual([]);
    expect(await hosts.a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
    await ready(hosts.a, s, 'write');
    await ok(hosts.b.accept(listener));
    expect(told.map(({ action, rule }) => [action, rule])).toEqual([
      ['deny', 'nine'],
      ['deny', 'nine'],
      ['allow', undefined],
    ]);
    expect(told[0]).toMatchObject({
      direction: 'connect',
      protocol: 'tcp',
      remote: '10.0.0.2:9',
      program: '/opt/app',
    });
  });

  test('CAT-LOAD-08 ConnectEx is judged as connect is', async () => {
    guarded([{ action: 'deny', direction: 'connect', remote: ADDRESS_B }]);
    const { s } = await bound(hosts.a, tcp);
    const own = await recordWithEvent(hosts.a);
    expect(await hosts.a.ConnectEx(s, name(ADDRESS_B, 9), 16, null, 0, null, own)).toBe(-WSAEACCES);
    expect(hosts.frames).toEqual([]);
  });

  test('datagrams are denied by sendto, WSASendMsg and connect', async () => {
    guarded([{ action: 'deny', direction: 'send', remotePort: 53 }]);
    const s = await udp(hosts.a);
    const to = name(ADDRESS_B, 53);
    expect(await hosts.a.sendto(s, text('q'), 1, 0, to)).toBe(-WSAEACCES);
    expect(await hosts.a.connect(s, to)).toBe(-WSAEACCES);
    const msg = {
      name: to,
      namelen: 16,
      lpBuffers: [text('q')],
      dwBufferCount: 1,
      Control: null,
      dwFlags: 0,
    };
    expect(await hosts.a.WSASendMsg(s, msg, 0, { value: 0 }, null, null)).toBe(-WSAEACCES);
    const { s: peer, port } = await bound(hosts.b, udp);
    await ok(hosts.a.sendto(s, text('allowed'), 7, 0, name(ADDRESS_B, port)));
    expect(await receiveText(hosts.b, peer)).toBe('allowed');
  });

  test('CAT-LOAD-08 an extension function that was asked for with a stream is judged as what its socket is', async () => {
    guarded([{ action: 'deny', direction: 'send', remotePort: 53 }]);
    const pointer = new Uint8Array(8);
    const id = parseGuid(WSAID_WSASENDMSG) ?? new Uint8Array(0);
    const code = SIO_GET_EXTENSION_FUNCTION_POINTER;
    await ok(hosts.a.WSAIoctl(await tcp(hosts.a), code, id, 16, pointer, 8, { value: 0 }));
    const sendMsg = functionAt(readPointer(pointer)) as ExtensionFunctions['WSASendMsg'];
    const to = name(ADDRESS_B, 53);
    const msg = {
      name: to,
      namelen: 16,
      lpBuffers: [text('q')],
      dwBufferCount: 1,
      Control: null,
      dwFlags: 0,
    };
    const s = await udp(hosts.a);
    expect(await sendMsg(s, msg, 0, { value: 0 }, null, null)).toBe(-WSAEACCES);
    // It is one function, whichever socket it was asked for with.
    const other = new Uint8Array(8);
    await ok(hosts.a.WSAIoctl(s, code, id, 16, other, 8, { value: 0 }));
    expect(other).toEqual(pointer);
  });

  test('both families are judged, and IPv4 in its mapped form', async () => {
    guarded([{ action: 'deny', remote: ['fd00::/16', '10.0.0.0/8'] }]);
    const s = await ok(hosts.a.socket(23, 1, 6));
    expect(await hosts.a.connect(s, name('fd00::2', 9))).toBe(-WSAEACCES);
    expect(await hosts.a.connect(s, name('::ffff:10.0.0.2', 9))).toBe(-WSAEACCES);
  });

  test('a redirected connect goes elsewhere, and getpeername tells where it was to go', async () => {
    guarded([{ action: 'redirect', remote: '192.0.2.0/24', to: `${ADDRESS_B}:7000` }]);
    const { a, b } = hosts;
    const { s: listener } = await bound(b, tcp, ADDRESS_B, 7000);
    await ok(b.listen(listener, 5));
    const s = await tcp(a);
    const accepting = b.accept(listener);
    await ok(a.connect(s, name('192.0.2.1', 80)));
    const server = await ok(accepting);
    const peer = new Uint8Array(16);
    await ok(a.getpeername(s, peer, { value: 16 }));
    expect(nameIn(peer)).toEqual({ address: '192.0.2.1', port: 80 });
    expect(await a.getpeername(s, peer, { value: 8 })).toBeLessThan(0);
    await ok(a.send(s, text('hello')));
    expect(await receiveText(b, server)).toBe('hello');
    // The next socket with the same handle is another one.
    await ok(a.closesocket(s));
    const t = await tcp(a);
    expect(await a.getpeername(t, peer, { value: 16 })).toBeLessThan(0);
  });

  test('a redirected datagram goes elsewhere, with its port when the rule names none', async () => {
    guarded([{ action: 'redirect', direction: 'send', remote: '192.0.2.1', to: ADDRESS_B }]);
    const { s: peer, port } = await bound(hosts.b, udp);
    const s = await udp(hosts.a);
    await ok(hosts.a.sendto(s, text('one'), 3, 0, name('192.0.2.1', port)));
    expect(await receiveText(hosts.b, peer)).toBe('one');
    await ok(hosts.a.connect(s, name('192.0.2.1', port)));
    await ok(hosts.a.send(s, text('two')));
    expect(await receiveText(hosts.b, peer)).toBe('two');
    const msg = {
      name: name('192.0.2.1', port),
      namelen: 16,
      lpBuffers: [text('three')],
      dwBufferCount: 1,
      Control: null,
      dwFlags: 0,
    };
    const t = await udp(hosts.a);
    await ok(hosts.a.WSASendMsg(t, msg, 0, { value: 0 }, null, null));
    expect(await receiveText(hosts.b, peer)).toBe('three');
    expect(nameIn(msg.name).address).toBe('192.0.2.1');
  });

  test('a redirect to a family that the socket has no way to is denied', async () => {
    guarded([{ action: 'redirect', to: '[::1]:80' }]);
    const s = await tcp(hosts.a);
    expect(await hosts.a.connect(s, name('192.0.2.1', 80))).toBe(-WSAEACCES);
  });
});

describe('what comes in', () => {
  test('a service may not listen where it is denied: streams by listen, datagrams by bind', async () => {
    guarded([{ action: 'deny', direction: 'listen', localPort: '1-1023' }]);
    const { s } = await bound(hosts.a, tcp, ADDRESS_A, 80);
    expect(await hosts.a.listen(s, 5)).toBe(-WSAEACCES);
    const u = await udp(hosts.a);
    expect(await hosts.a.bind(u, name(ADDRESS_A, 53))).toBe(-WSAEACCES);
    await ok(hosts.a.bind(u, name(ADDRESS_A, 1053)));
    const { s: other } = await bound(hosts.a, tcp, ADDRESS_A, 8080);
    await ok(hosts.a.listen(other, 5));
  });

  test('SEM-COND-03 accept passes over peers that are refused, and goes on waiting', async () => {
    const told = guarded([{ action: 'deny', direction: 'accept', remotePort: 4000 }]);
    const { s: listener, port } = await listening(hosts.a);
    const { s: unwanted } = await bound(hosts.b, tcp, ADDRESS_B, 4000);
    const accepting = hosts.a.accept(listener);
    await ok(hosts.b.connect(unwanted, name(ADDRESS_A, port)));
    expect(await hosts.b.recv(unwanted, new Uint8Array(9))).toBe(-WSAECONNRESET);
    const welcome = await tcp(hosts.b);
    await ok(hosts.b.connect(welcome, name(ADDRESS_A, port)));
    const s = await ok(accepting);
    await ok(hosts.b.send(welcome, text('hi')));
    expect(await receiveText(hosts.a, s)).toBe('hi');
    expect(told.filter(({ direction }) => direction === 'accept').map(({ action }) => action)).toEqual([
      'deny',
      'allow',
    ]);
  });

  test('a non-blocking accept of nobody but a refused peer would block; a condition function sees only the others', async () => {
    guarded([{ action: 'deny', direction: 'accept', remotePort: 4000 }]);
    const { s: listener, port } = await listening(hosts.a);
    await nonBlocking(hosts.a, listener);
    const { s: unwanted } = await bound(hosts.b, tcp, ADDRESS_B, 4000);
    await ok(hosts.b.connect(unwanted, name(ADDRESS_A, port)));
    await ready(hosts.a, listener);
    expect(await hosts.a.accept(listener)).toBe(-WSAEWOULDBLOCK);
    const welcome = await tcp(hosts.b);
    await ok(hosts.b.connect(welcome, name(ADDRESS_A, port)));
    await ready(hosts.a, listener);
    const callers: number[] = [];
    const s = await hosts.a.WSAAccept(
      listener,
      null,
      null,
      (caller) => {
        callers.push(nameIn(caller).port);
        return 0;
      },
      0,
    );
    await ok(s);
    expect(callers).toHaveLength(1);
    expect(callers).not.toContain(4000);
  });

  test('CAT-LOAD-08, CAT-LOAD-09 a peer that AcceptEx has taken is reset, what it sent is wiped, and the socket carries nothing', async () => {
    guarded([{ action: 'deny', direction: 'accept', remotePort: 4000 }]);
    const { s: listener, port } = await listening(hosts.a);
    const acceptWith = async (from: number, first: string) => {
      const s = await tcp(hosts.a);
      const room = new Uint8Array(100 + 2 * 32);
      const own = await recordWithEvent(hosts.a);
      await pending(hosts.a.AcceptEx(listener, s, room, 100, 32, 32, { value: 0 }, own));
      const peer = (await bound(hosts.b, tcp, ADDRESS_B, from)).s;
      await ok(hosts.b.connect(peer, name(ADDRESS_A, port)));
      await ok(hosts.b.send(peer, text(first)));
      await ok(hosts.a.WSAWaitForMultipleEvents(1, [own.hEvent], true, 5000));
      return { s, peer, room };
    };
    const refused = await acceptWith(4000, 'secret');
    expect(Buffer.from(refused.room.subarray(0, 100)).toString()).not.toContain('secret');
    expect(await hosts.a.send(refused.s, text('x'))).toBe(-WSAECONNRESET);
    expect(await hosts.a.recv(refused.s, new Uint8Array(9))).toBe(-WSAECONNRESET);
    await ok(hosts.a.closesocket(refused.s));
    expect(await hosts.b.recv(refused.peer, new Uint8Array(9))).toBeLessThanOrEqual(0);

    const welcome = await acceptWith(4001, 'hello');
    expect(Buffer.from(welcome.room.subarray(0, 5)).toString()).toBe('hello');
    await ok(hosts.a.setsockopt(welcome.s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, int(listener), 4));
    await ok(hosts.a.send(welcome.s, text('back')));
    expect(await receiveText(hosts.b, welcome.peer)).toBe('back');
  });
});

test('SPI-START-07 without rules that can be read no socket is made, and the reason names the file', async () => {
  const startup = firewall({ rulesPath: '/nowhere/rules.json' });
  hosts = layeredHosts([{ startup, isIfs: true }]);
  expect(await hosts.a.socket(2, 1, 6)).toBe(-WSAEPROVIDERFAILEDINIT);
  expect(hosts.faults[0]?.detail).toContain('/nowhere/rules.json');
});
