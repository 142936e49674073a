// What layers cost: a call, and a GB. One process with a stack of its own; a connection over its loopback. Runs take turns, so that
// what the machine does beside meets all alike.
//
//     npm run build && node bench/micro/layers.mjs [GB] [rounds]

const gigabytes = Number(process.argv[2] ?? 1);
const rounds = Number(process.argv[3] ?? 3);
const dist = new URL('../../dist/', import.meta.url);
const { createLocalHost } = await import(new URL('app/index.js', dist));
const { createWinsock } = await import(new URL('winsock/index.js', dist));
const { Catalog, DEFAULT_CATALOG, defineLayer, WSP_ENTRIES } = await import(new URL('spi/index.js', dist));

const LAYER = 'A0000000-0000-0000-0000-000000000000';
const XP1_IFS_HANDLES = 0x20000;

/** A layer that makes every call itself. */
const everyCall = (next) =>
  Object.fromEntries(WSP_ENTRIES.map((name) => [name, (...args) => next[name](...args)]));

const kinds = {
  'no layer': null,
  'a layer that has no calls': defineLayer(() => ({})),
  'a layer that makes every call': defineLayer(everyCall),
  'the same with its own handles': defineLayer(everyCall, { handles: 'own' }),
};

const host = createLocalHost();

function winsockWith(startup) {
  const options = { port: host.openSession() };
  if (startup === null) return createWinsock(options);
  const layered = {
    ...DEFAULT_CATALOG[0],
    ProviderId: LAYER,
    dwCatalogEntryId: 2000,
    ChainLen: 0,
    ChainEntries: [],
  };
  const chains = DEFAULT_CATALOG.map((entry, i) => ({
    ...entry,
    ProviderId: `${LAYER.slice(0, -1)}${i + 1}`,
    dwServiceFlags1: entry.dwServiceFlags1 & ~XP1_IFS_HANDLES,
    dwCatalogEntryId: 2001 + i,
    ChainLen: 2,
    ChainEntries: [2000, entry.dwCatalogEntryId],
  }));
  const paths = new Map([layered, ...chains].map(({ ProviderId }) => [ProviderId, '/layer.mjs']));
  const catalog = new Catalog([...chains, ...DEFAULT_CATALOG, layered], paths);
  return createWinsock({ ...options, catalog, loadProvider: () => startup });
}

const at = (port) => Uint8Array.of(2, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);

async function connection(startup) {
  const ws = winsockWith(startup);
  ws.WSAStartup(0x0202, {});
  const listener = await ws.socket(2, 1, 6);
  await ws.bind(listener, at(0));
  await ws.listen(listener, 1);
  const name = new Uint8Array(16);
  await ws.getsockname(listener, name);
  const client = await ws.socket(2, 1, 6);
  const accepting = ws.accept(listener);
  await ws.connect(client, at((name[2] << 8) | name[3]));
  return { ws, client, server: await accepting };
}

/** Nanoseconds of a call that the sockets answer at once. */
function callCost({ ws, client }, calls) {
  const name = new Uint8Array(16);
  const length = { value: 16 };
  const began = process.cpuUsage();
  for (let i = 0; i < calls; i++) {
    length.value = 16;
    ws.getsockname(client, name, length);
  }
  const { user, system } = process.cpuUsage(began);
  return ((user + system) * 1000) / calls;
}

/** CPU seconds of a GB. */
async function transferCost({ ws, client, server }, bytes) {
  const chunk = new Uint8Array(65_536);
  const into = new Uint8Array(262_144);
  const began = process.cpuUsage();
  const send = async () => {
    for (let sent = 0; sent < bytes; sent += chunk.length) {
      const answer = ws.send(client, chunk);
      if (typeof answer !== 'number') await answer;
    }
  };
  const receive = async () => {
    for (let received = 0; received < bytes; ) {
      const answer = ws.recv(server, into);
      received += typeof answer === 'number' ? answer : await answer;
    }
  };
  await Promise.all([send(), receive()]);
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6 / (bytes / 2 ** 30);
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const connections = [];
for (const [name, startup] of Object.entries(kinds)) {
  connections.push({ name, connection: await connection(startup), calls: [], transfers: [] });
}
for (const { connection: warm } of connections) {
  callCost(warm, 200_000);
  await transferCost(warm, 2 ** 27);
}
for (let round = 0; round < rounds; round++) {
  for (const each of connections) {
    each.calls.push(callCost(each.connection, 1_000_000));
    each.transfers.push(await transferCost(each.connection, gigabytes * 2 ** 30));
  }
}
const [plain] = connections;
for (const { name, calls, transfers } of connections) {
  const [call, transfer] = [median(calls), median(transfers)];
  const more = median(transfers.map((value, i) => (value / plain.transfers[i] - 1) * 100));
  console.log(
    `${name.padEnd(32)} ${call.toFixed(0).padStart(6)} ns a call (+${(call - median(plain.calls)).toFixed(0)})` +
      `   ${transfer.toFixed(2)} CPU s/GB (${more >= 0 ? '+' : ''}${more.toFixed(1)} %)`,
  );
}
host.close();
process.exit(0);
