/** The ICMP helper API over two hosts in one process: what it answers, and that no provider is between. */

import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  ERROR_INSUFFICIENT_BUFFER,
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  Icmp6CreateFile,
  Icmp6ParseReplies,
  Icmp6SendEcho2,
  IcmpCloseHandle,
  IcmpCreateFile,
  IcmpError,
  IcmpParseReplies,
  IcmpSendEcho,
  IcmpSendEcho2,
  IcmpSendEcho2Ex,
  IP_BAD_OPTION,
  IP_DEST_HOST_UNREACHABLE,
  IP_FLAG_DF,
  IP_OPTION_TOO_BIG,
  IP_PACKET_TOO_BIG,
  IP_REQ_TIMED_OUT,
  IP_SUCCESS,
  inet_addr,
  readICMP_ECHO_REPLY,
  readICMPV6_ECHO_REPLY,
  sockaddrOf,
} from '../../../src/app/icmp.ts';
import { createLocalHost } from '../../../src/app/local.ts';
import { fromHex, IpAddress } from '../../../src/base/index.ts';
import { AfdOp, type AfdRequest } from '../../../src/port/index.ts';

const host = createLocalHost();
/** What the API asked the port for. */
const asked: number[] = [];
const spied = {
  openSession: () => {
    const port = host.openSession();
    const submit = port.submit.bind(port);
    return Object.assign(port, {
      submit: (request: AfdRequest) => {
        asked.push(request.op);
        return submit(request);
      },
    });
  },
};
const LOOPBACK = inet_addr('127.0.0.1');
const data = Uint8Array.from({ length: 32 }, (_, i) => 0x61 + i);
let file: number;
let buffer: Uint8Array;

beforeEach(async () => {
  file = await IcmpCreateFile({ local: spied });
  buffer = new Uint8Array(1024);
});
afterEach(() => IcmpCloseHandle(file).catch(() => {}));
afterAll(() => host.close());

/** The code of a call that fails. */
async function codeOf(call: Promise<number>): Promise<number> {
  const error = await call.catch((caught: unknown) => caught);
  return error instanceof IcmpError ? error.code : 0;
}

describe('IcmpSendEcho', () => {
  test('answers one reply, with address, status, data and TTL in the buffer', async () => {
    expect(await IcmpSendEcho(file, LOOPBACK, data, 32, null, buffer, 1024, 1000)).toBe(1);
    const reply = readICMP_ECHO_REPLY(buffer);
    expect(reply).toMatchObject({ Status: IP_SUCCESS, Options: { Ttl: 64, OptionsData: null } });
    expect([String(reply?.Address), reply?.Data]).toEqual(['127.0.0.1', data]);
    expect(IcmpParseReplies(buffer, 1024)).toBe(1);
    expect(buffer.subarray(0, 4)).toEqual(Uint8Array.of(127, 0, 0, 1));
  });

  test('only so much of the data is sent as the size says', async () => {
    await IcmpSendEcho(file, LOOPBACK, data, 5, null, buffer, 1024, 1000);
    expect(readICMP_ECHO_REPLY(buffer)?.Data).toHaveLength(5);
  });

  test('the largest request goes round, and the route is recorded on the way', async () => {
    const large = new Uint8Array(65_480).fill(7);
    const room = new Uint8Array(70_000);
    const OptionsData = fromHex('070b04 0000000000000000 00');
    const options = { Ttl: 9, Tos: 0, Flags: 0, OptionsData };
    expect(await IcmpSendEcho(file, LOOPBACK, large, large.length, options, room, room.length, 1000)).toBe(1);
    const reply = readICMP_ECHO_REPLY(room);
    expect(reply?.Data).toEqual(large);
    expect(reply?.Options.OptionsData).toEqual(fromHex('070b08 7f000001 00000000 00'));
  });

  test('what can not go or does not come back is the error', async () => {
    const nowhere = inet_addr('192.0.2.1');
    expect(await codeOf(IcmpSendEcho(file, nowhere, data, 32, null, buffer, 1024, 10))).toBe(
      IP_DEST_HOST_UNREACHABLE,
    );
    const route = { Ttl: 0, Tos: 0, Flags: 0, OptionsData: fromHex('8307047f000001 00') };
    expect(await codeOf(IcmpSendEcho(file, LOOPBACK, data, 32, route, buffer, 1024, 10))).toBe(IP_BAD_OPTION);
    const long = { ...route, OptionsData: new Uint8Array(41) };
    expect(await codeOf(IcmpSendEcho(file, LOOPBACK, data, 32, long, buffer, 1024, 10))).toBe(
      IP_OPTION_TOO_BIG,
    );
    const whole = { Ttl: 0, Tos: 0, Flags: IP_FLAG_DF, OptionsData: null };
    const huge = new Uint8Array(65_501);
    expect(await codeOf(IcmpSendEcho(file, LOOPBACK, huge, huge.length, whole, buffer, 1024, 10))).toBe(
      IP_PACKET_TOO_BIG,
    );
  });

  test('handles, sizes and families are checked', async () => {
    expect(await codeOf(IcmpSendEcho(3, LOOPBACK, data, 32, null, buffer, 1024, 10))).toBe(
      ERROR_INVALID_HANDLE,
    );
    expect(await codeOf(IcmpSendEcho(file, LOOPBACK, data, 33, null, buffer, 1024, 10))).toBe(
      ERROR_INVALID_PARAMETER,
    );
    expect(await codeOf(IcmpSendEcho(file, LOOPBACK, data, 32, null, buffer, 47, 10))).toBe(
      ERROR_INSUFFICIENT_BUFFER,
    );
    const six = await Icmp6CreateFile({ local: spied });
    expect(await codeOf(IcmpSendEcho(six, LOOPBACK, data, 32, null, buffer, 1024, 10))).toBe(
      ERROR_INVALID_PARAMETER,
    );
    expect(await IcmpCloseHandle(six)).toBe(1);
    expect(await codeOf(IcmpCloseHandle(six))).toBe(ERROR_INVALID_HANDLE);
  });

  test('a request that waits ends when its handle is closed', async () => {
    const index = host.host.stack.addInterface({ name: 'void', mtu: 1500, addresses: ['198.51.100.2/24'] });
    const waiting = codeOf(
      IcmpSendEcho(file, inet_addr('198.51.100.1'), data, 32, null, buffer, 1024, 60_000),
    );
    expect(
      await codeOf(IcmpSendEcho(file, inet_addr('198.51.100.1'), data, 32, null, buffer, 1024, 20)),
    ).toBe(IP_REQ_TIMED_OUT);
    await IcmpCloseHandle(file);
    expect(await waiting).not.toBe(0);
    host.host.stack.removeInterface(index);
    expect([...host.host.stack.endpoints()].filter(({ kind }) => kind === 'icmp')).toEqual([]);
  });
});

describe('IcmpSendEcho2', () => {
  test('without event and routine it is IcmpSendEcho', async () => {
    const answer = IcmpSendEcho2(file, null, null, null, LOOPBACK, data, 32, null, buffer, 1024, 1000);
    expect(await answer).toBe(1);
  });

  test('with a routine it answers at once, and the routine is called with the context and the error', async () => {
    let events = 0;
    const event = { set: () => void events++ };
    const told = new Promise((resolve) => {
      const routine = (context: unknown, error: number): void => resolve([context, error]);
      void IcmpSendEcho2(file, event, routine, 'mine', LOOPBACK, data, 32, null, buffer, 1024, 1000).then(
        (answer) => expect(answer).toBe(0),
      );
    });
    expect(await told).toEqual(['mine', 0]);
    expect([events, IcmpParseReplies(buffer, 1024)]).toEqual([1, 1]);
  });

  test('an empty buffer holds no reply', () => {
    expect(IcmpParseReplies(new Uint8Array(1024), 1024)).toBe(0);
    expect(IcmpParseReplies(new Uint8Array(4), 4)).toBe(0);
    expect(Icmp6ParseReplies(new Uint8Array(1024), 1024)).toBe(0);
  });

  test('IcmpSendEcho2Ex sends from the address given, and from no other host’s', async () => {
    const from = (address: string): Promise<number> =>
      IcmpSendEcho2Ex(
        ...([
          file,
          null,
          null,
          null,
          inet_addr(address),
          LOOPBACK,
          data,
          32,
          null,
          buffer,
          1024,
          100,
        ] as const),
      );
    expect(await from('127.0.0.1')).toBe(1);
    expect(await codeOf(from('192.0.2.77'))).not.toBe(0);
  });
});

describe('Icmp6SendEcho2', () => {
  const any = sockaddrOf(IpAddress.anyV6, 0);
  const self = sockaddrOf(IpAddress.loopbackV6, 0);

  test('answers over IPv6', async () => {
    const six = await Icmp6CreateFile({ local: spied });
    expect(await Icmp6SendEcho2(six, null, null, null, any, self, data, 32, null, buffer, 1024, 1000)).toBe(
      1,
    );
    const reply = readICMPV6_ECHO_REPLY(buffer, 32);
    expect([String(reply?.Address), reply?.Status, reply?.Data]).toEqual(['::1', IP_SUCCESS, data]);
    expect(Icmp6ParseReplies(buffer, 1024)).toBe(1);
    await IcmpCloseHandle(six);
  });

  test('addresses of another family are refused', async () => {
    const six = await Icmp6CreateFile({ local: spied });
    const four = sockaddrOf(IpAddress.loopbackV4, 0);
    const call = Icmp6SendEcho2(six, null, null, null, any, four, data, 32, null, buffer, 1024, 10);
    expect(await codeOf(call)).toBe(ERROR_INVALID_PARAMETER);
    await IcmpCloseHandle(six);
  });
});

describe('beneath the provider catalog', () => {
  test('WM §1.7 all that the API asks for is echo requests of the stack: no socket is made, and no provider is loaded', () => {
    expect(new Set(asked)).toEqual(new Set([AfdOp.echo]));
  });
});
