import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';

// Each test is a program of its own.
jest.setTimeout(60_000);

let programs: BlockingPrograms;
beforeAll(() => {
  programs = blockingPrograms("{ names: { hostName: 'lab', servers: [] } }");
});
afterAll(() => programs.dispose());

const START = `
  const { defineNameSpace } = await load('../spi/index');
  const ID = '3F2A7C10-5B8E-4D53-9C01-7E6D4B2A9F11';
  const CLASS = '5F7E1A11-0000-4000-8000-000000000001';
  ws.WSAStartup(ws.MAKEWORD(2, 2), data);
  if (isMainThread) ws.WSCInstallNameSpaceEx('Phone book', '/opt/phone-book.mjs', ws.NS_NIS, 2, ID, null);
  const begin = (lpszServiceInstanceName = null) => {
    const handle = { value: 0 };
    const asked = ws.querySet({ lpszServiceInstanceName, lpServiceClassId: CLASS, lpNSProviderId: ID });
    return ws.WSALookupServiceBegin(asked, ws.LUP_RETURN_ALL, handle) === 0 ? handle.value : -ws.WSAGetLastError();
  };
  const next = (handle, room = 4096) => {
    const [length, found] = [{ value: room }, ws.querySet()];
    return ws.WSALookupServiceNext(handle, 0, length, found) === 0 ? found.lpszServiceInstanceName : [ws.WSAGetLastError(), length.value > room];
  };
  const table = (members) => ({
    cbSize: 72, dwMajorVersion: 2, dwMinorVersion: 0,
    NSPv2Startup: () => 0, NSPv2Cleanup: () => 0, NSPv2LookupServiceBegin: (_id, _set, _flags, _session, handle) => { handle.value = 7; return 0; },
    NSPv2LookupServiceNextEx: () => -ws.WSA_E_NO_MORE, NSPv2LookupServiceEnd: () => 0, NSPv2SetServiceEx: () => 0, NSPv2ClientSessionRundown: () => 0,
    ...members,
  });
`;

test('API-WSAAdvertiseProvider, API-WSAUnadvertiseProvider, NSP2-Advertise on the blocking face a thread answers its own lookups', async () => {
  const said = await programs.run(
    'announce',
    `${START}
     if (!isMainThread) {
       parentPort.postMessage([ws.WSAAdvertiseProvider(ID, table()), ws.WSACleanup()]);
       process.exit(0);
     }
     say(begin(), ws.WSAAdvertiseProvider(ID, null), ws.WSAGetLastError(), ws.WSAAdvertiseProvider(ID, { ...table(), NSPv2Cleanup: 3 }), ws.WSAGetLastError());
     const sets = [];
     const { NSPv2Routine } = defineNameSpace({
       find: ({ name }) => (name === 'alice' ? [{ name: 'alice', addresses: [{ address: '10.0.0.21' }] }, { name: 'alice too' }] : ws.WSANO_DATA),
       set: ({ info, operation }) => (sets.push([info.lpszServiceInstanceName, operation]), 0),
     });
     say(ws.WSAAdvertiseProvider(ID, NSPv2Routine), ws.WSAAdvertiseProvider(ID, NSPv2Routine), ws.WSAGetLastError());
     const alice = begin('alice');
     say(alice > 0, next(alice, 10), next(alice), next(alice), next(alice), ws.WSALookupServiceEnd(alice));
     const host = ws.gethostbyname('alice');
     say(host === null ? ws.WSAGetLastError() : host.h_addr_list.map((each) => [...each]));
     const service = ws.querySet({ lpszServiceInstanceName: 'bob', lpServiceClassId: CLASS, lpNSProviderId: ID });
     say(ws.WSASetService(service, ws.RNRSERVICE_REGISTER, 0), sets);
     say(ws.WSAUnadvertiseProvider(ID), ws.WSAUnadvertiseProvider(ID), ws.WSAGetLastError(), begin('alice'));
     // What another thread has announced goes with it.
     const worker = new Worker(here);
     const told = new Promise((resolve) => worker.once('message', resolve));
     await new Promise((resolve) => worker.once('exit', resolve));
     ws.SleepEx(20, false);
     say(await told, begin('alice'), ws.WSAAdvertiseProvider(ID, NSPv2Routine));`,
  );
  expect(said).toEqual([
    [-10106, -1, 10022, -1, 10022],
    [0, -1, 11003],
    [true, [10014, true], 'alice', 'alice too', [10110, false], 0],
    [[[10, 0, 0, 21]]],
    [0, [['bob', 0]]],
    [0, -1, 10022, -10106],
    [[0, 0], -10106, 0],
  ]);
});

test('NSP2-Startup, NSP2-Cleanup, NSP2-ClientSessionRundown, NSP2-Complete, API-WSAProviderCompleteAsyncCall it asks while it answers, answers later, and fails', async () => {
  const said = await programs.run(
    'later',
    `${START}
     if (!isMainThread) {
       const found = next(workerData);
       ws.WSACleanup(); // before the last one of the process
       parentPort.postMessage(found);
       process.exit(0);
     }
     const seen = [];
     let answer = () => 0;
     const session = { whose: 'mine' };
     say(ws.WSAAdvertiseProvider(ID, table({
       NSPv2Startup(_id, place) { place.value = session; return 0; },
       NSPv2LookupServiceBegin(_id, set, _flags, which, handle) {
         seen.push(which === session, set.dwSize, set.lpszServiceInstanceName);
         // Winsock calls of its own, one of which comes back to it.
         if (set.lpszServiceInstanceName === 'outer') ws.WSALookupServiceEnd(begin('inner'));
         handle.value = 7;
         return 0;
       },
       NSPv2LookupServiceNextEx: (...args) => answer(...args),
       NSPv2Cleanup: (_id, which) => (seen.push('cleanup', which === session), 0),
       NSPv2ClientSessionRundown: (_id, which) => (seen.push('rundown', which === session), 0),
     })));
     const handle = begin('outer');
     say(seen.splice(0));
     // Finished by the call itself, before it returns; by a hook in a later call; and by a promise.
     answer = (call, _handle, _flags, _room, into) => {
       into.lpszServiceInstanceName = 'at once';
       say(ws.WSAProviderCompleteAsyncCall(call, Number.NaN), ws.WSAGetLastError(), ws.WSAProviderCompleteAsyncCall(call, 0), ws.WSAProviderCompleteAsyncCall(call, 0));
     };
     const fresh = () => next(begin());
     say(next(handle));
     answer = () => { throw new Error('broken'); };
     say(fresh());
     answer = () => 'nonsense';
     say(fresh());
     answer = (call) => { ws.WSAProviderCompleteAsyncCall(call, ws.WSATRY_AGAIN); return undefined; };
     say(fresh());
     // Another thread asks. The answer is promised: it comes between two calls of this one.
     answer = async (_call, _handle, _flags, _room, into) => { await null; into.lpszServiceInstanceName = 'promised'; return 0; };
     const worker = new Worker(here, { workerData: begin() });
     let reply = null;
     worker.once('message', (message) => { reply = message; });
     while (reply === null) {
       ws.SleepEx(20, false);
       await new Promise((resolve) => setTimeout(resolve, 1));
     }
     say(reply);
     // Its session is over with the last WSACleanup, in the next call.
     seen.length = 0;
     say(ws.WSACleanup());
     ws.IsWindow(1);
     ws.WSAStartup(ws.MAKEWORD(2, 2), data);
     ws.SleepEx(50, false);
     say(seen);`,
  );
  expect(said).toEqual([
    [0],
    [[true, 112, 'outer', true, 112, 'inner']],
    [-1, 10022, 0, -1],
    ['at once'],
    [[10107, false]],
    [[10107, false]],
    [[11002, false]],
    ['promised'],
    [0],
    [['cleanup', true, 'rundown', true]],
  ]);
});
