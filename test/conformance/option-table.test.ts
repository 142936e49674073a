/** Every option by the tables of section 4 of the surface reference, and every length that a value can be given with. */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  OPTION_LAYOUTS,
  type OptionLayout,
  SO_OPENTYPE,
  SO_UPDATE_ACCEPT_CONTEXT,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSAENOPROTOOPT,
  WSAENOTSOCK,
} from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { OPTION_ROWS, type OptionRow } from './option-rows.ts';
import { getInt, int, ok, overEveryAttachment } from './support.ts';

/** An experiment's protocol (RFC 3692). */
const EXPERIMENT = 253;

/** Fresh sockets, one of each kind. */
async function freshSockets(ws: Winsock, family: number): Promise<readonly number[]> {
  return [
    await ok(ws.socket(family, SOCK_STREAM, 0)),
    await ok(ws.socket(family, SOCK_DGRAM, 0)),
    await ok(ws.socket(family, SOCK_RAW, EXPERIMENT)),
  ];
}

overEveryAttachment('the option tables', (pair) => {
  test.each(
    OPTION_ROWS.map((row): [string, OptionRow] => [`${row.id} ${row.option} of level ${row.level}`, row]),
  )('%s as tabled, by kind of socket', async (_title, row) => {
    const { a } = await pair();
    const { level, option, fresh, takes, refuses } = row;
    const sockets = await freshSockets(a, row.is6 ? AF_INET6 : AF_INET);
    for (const [kind, s] of sockets.entries()) {
      const initial = fresh[kind] as number;
      expect([kind, await getInt(a, s, level, option)]).toEqual([kind, initial]);
      if (initial === -WSAEINVAL || initial === -WSAENOPROTOOPT) {
        // Not there, for a set as for a get; what can only be set is shown elsewhere.
        if (takes.length > 0) expect(await a.setsockopt(s, level, option, int(1))).toBe(initial);
        continue;
      }
      for (const [value, reads] of takes) {
        expect([value, await a.setsockopt(s, level, option, int(value))]).toEqual([value, 0]);
        expect([value, await getInt(a, s, level, option)]).toEqual([value, reads]);
      }
      const before = await getInt(a, s, level, option);
      for (const [value, code] of refuses) {
        expect([value, await a.setsockopt(s, level, option, int(value))]).toEqual([value, -code]);
      }
      expect(await getInt(a, s, level, option)).toBe(before);
    }
  });
});

/** What a get into `room` bytes answers by the rules of SEM-OPT-05 … SEM-OPT-10, of an option whose whole value is `length` bytes. */
function expectedGet(
  layout: OptionLayout,
  room: number,
  length: number,
): readonly [answer: number, optlen: number] {
  if (layout.lengthRule === 'bytes') return room < length ? [-WSAEFAULT, room] : [0, length];
  if (layout.lengthRule === 'structure') return [room < length ? -WSAEFAULT : 0, length];
  if (room === 0) return [-WSAEFAULT, 0];
  if (layout.lengthRule === 'byte') return [0, 1];
  if (layout.lengthRule === 'any') return [0, room < 4 ? 1 : 4];
  if (room >= layout.length) return [0, layout.length];
  return [-WSAEFAULT, layout.lengthRule === 'cleared' ? 0 : room];
}

overEveryAttachment('the lengths of option values', (pair) => {
  const LONGEST = 64;
  /** All lengths that any option tells from others, and those around the structures. */
  const ROOMS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 19, 20, 35, 36, 39, 40, LONGEST];
  const families = [AF_INET, AF_INET6] as const;
  const isOfFamily = (level: number, family: number) => (level === IPPROTO_IPV6) === (family === AF_INET6);

  test('SEM-OPT-05, SEM-OPT-06, SEM-OPT-07, SEM-OPT-08, SEM-OPT-10 every option is read into 0 … 64 bytes as its class says', async () => {
    const { a } = await pair();
    let read = 0;
    for (const family of families) {
      for (const s of await freshSockets(a, family)) {
        for (const layout of OPTION_LAYOUTS) {
          const { level, option, name, lengthRule, length } = layout;
          if (!isOfFamily(level, family)) continue;
          const whole = { value: 1024 };
          if ((await a.getsockopt(s, level, option, new Uint8Array(1024), whole)) !== 0) continue;
          read++;
          const got = ROOMS.map(async (room) => {
            const optlen = { value: room };
            const bytes = new Uint8Array(LONGEST + 8).fill(0xee);
            const answer = await a.getsockopt(s, level, option, bytes, optlen);
            const isUntouched = bytes.subarray(room).every((byte) => byte === 0xee);
            return [name, room, answer, optlen.value, isUntouched];
          });
          const needed = lengthRule === 'structure' ? length : whole.value;
          const wanted = ROOMS.map((room) => [name, room, ...expectedGet(layout, room, needed), true]);
          expect(await Promise.all(got)).toEqual(wanted);
        }
      }
    }
    expect(read).toBeGreaterThan(150);
  }, 30_000);

  test('SEM-OPT-02, SEM-OPT-03, SEM-OPT-04 every option is set with 0 … 64 bytes, with -1 and with no pointer', async () => {
    const { a } = await pair();
    for (const family of families) {
      for (const s of await freshSockets(a, family)) {
        for (const { level, option, name, length, lengthRule, type } of OPTION_LAYOUTS) {
          if (name === 'SO_OPENTYPE' || !isOfFamily(level, family)) continue;
          const bytes = new Uint8Array(LONGEST);
          const set = async (room: number): Promise<number> => a.setsockopt(s, level, option, bytes, room);
          const whole = await set(Math.min(LONGEST, Math.max(length, 4)));
          const answers = await Promise.all(ROOMS.map(set));
          for (const [i, answer] of answers.entries()) {
            const room = ROOMS[i] as number;
            const takesAny = lengthRule === 'any' || lengthRule === 'byte';
            const least = lengthRule === 'bytes' || lengthRule === 'none' ? 0 : takesAny ? 1 : length;
            const isShort = room < least && !(room === 0 && level === SOL_SOCKET && type === 'boolean');
            // What the socket does not have, it does not measure.
            const expected = isShort && whole !== answer ? -WSAEFAULT : whole;
            if (lengthRule !== 'bytes') expect([name, room, answer]).toEqual([name, room, expected]);
            if (isShort && whole === 0) expect([name, room, answer]).toEqual([name, room, -WSAEFAULT]);
          }
          expect(await a.setsockopt(s, level, option, null, 4)).toBe(-WSAEFAULT);
          const unbounded = await set(-1);
          const isMultiByte = level === SOL_SOCKET && lengthRule !== 'byte';
          expect([name, unbounded]).toEqual([name, isMultiByte ? whole : -WSAENOBUFS]);
          expect(await a.getsockopt(s, level, option, bytes, { value: -1 })).toBe(-WSAEFAULT);
          expect(await a.getsockopt(s, level, option, null, { value: 4 })).toBe(-WSAEFAULT);
          expect(await a.getsockopt(s, level, option, bytes, null)).toBe(-WSAEFAULT);
        }
      }
    }
  }, 30_000);

  test('SEM-OPT-02, SEM-OPT-11 of a dead handle every option is WSAENOTSOCK first, but SO_OPENTYPE', async () => {
    const { a } = await pair();
    const [s] = await freshSockets(a, AF_INET);
    await ok(a.closesocket(s as number));
    for (const { level, option } of OPTION_LAYOUTS) {
      if (option === SO_OPENTYPE) continue;
      expect(await a.getsockopt(s as number, level, option, null, null)).toBe(-WSAENOTSOCK);
      if (option === SO_UPDATE_ACCEPT_CONTEXT) continue;
      expect(await a.setsockopt(s as number, level, option, null, 0)).toBe(-WSAENOTSOCK);
    }
  });
});
