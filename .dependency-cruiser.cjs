// The room rules of docs/architecture.md: a room imports only the rooms its row names, and of another room only its
// index.ts. Everything else is a violation, cycles included.

/** What each room may import, besides itself. */
const rooms = {
  base: [],
  wire: ['base'],
  abi: ['base'],
  port: ['base', 'abi'],
  native: ['base'],
  stack: ['base', 'wire'],
  irda: ['base', 'wire'],
  capture: ['base', 'wire'],
  link: ['base', 'wire', 'native'],
  engine: ['base', 'wire', 'stack', 'irda', 'link', 'capture'],
  sim: ['base', 'wire', 'stack', 'irda', 'link', 'capture', 'engine'],
  afd: ['base', 'abi', 'port', 'stack', 'irda'],
  names: ['base', 'abi', 'port'],
  nameservice: ['base', 'abi', 'port', 'names', 'stack'],
  catalog: ['base', 'abi', 'port'],
  ipc: ['base', 'abi', 'port', 'native', 'catalog'],
  spi: ['base', 'abi', 'port'],
  layers: ['base', 'abi', 'spi'],
  winsock: ['base', 'abi', 'port', 'spi'],
  app: ['base', 'abi', 'port', 'catalog', 'ipc', 'spi', 'layers', 'winsock', 'afd', 'names', 'nameservice', 'stack', 'engine', 'link', 'capture', 'sim', 'native'],
  daemon: ['base', 'wire', 'abi', 'port', 'native', 'stack', 'irda', 'capture', 'link', 'engine', 'sim', 'afd', 'names', 'nameservice', 'catalog', 'ipc', 'spi'],
  cli: ['app', 'layers', 'port', 'catalog', 'sim', 'capture', 'wire', 'abi', 'base'],
};

/** Rooms that run anywhere: no Node module, whatever the file. */
const portable = ['base', 'wire', 'abi', 'port', 'stack', 'irda', 'link', 'afd', 'spi', 'engine', 'sim'];

/** Rooms that import no package either. */
const withoutPackages = [...portable, 'catalog', 'winsock', 'ipc', 'capture'];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: '\\.d\\.ts$' }, to: {} },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `${room}-imports-only-its-rooms`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
    })),
    {
      name: 'only-the-index-of-another-room',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '/index\\.ts$'] },
    },
    {
      name: 'portable-rooms-know-no-node',
      severity: 'error',
      from: { path: `^src/(${portable.join('|')})/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-rooms-use-no-package',
      severity: 'error',
      from: { path: `^src/(${withoutPackages.join('|')})/` },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'] },
    },
    {
      name: 'node-fs-only-in-the-capture-writers',
      severity: 'error',
      from: { path: '^src/capture/', pathNot: '-file\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'node-only-in-the-catalog-on-disk',
      severity: 'error',
      from: { path: '^src/catalog/', pathNot: '^src/catalog/disk/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'dns-packet-only-in-the-codec',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/names/codec\\.ts$' },
      to: { path: 'node_modules/(@types/)?dns-packet/' },
    },
    {
      name: 'names-use-no-other-package',
      severity: 'error',
      from: { path: '^src/names/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'],
        pathNot: 'node_modules/(@types/)?dns-packet/',
      },
    },
    {
      name: 'native-only-in-tun-and-tap',
      severity: 'error',
      from: { path: '^src/link/', pathNot: '^src/link/device/(tun|tap)\\.ts$' },
      to: { path: '^src/native/' },
    },
    {
      name: 'portable-rooms-know-no-device',
      severity: 'error',
      from: { path: `^src/(${portable.join('|')})/`, pathNot: '^src/link/device/' },
      to: { path: '^src/link/device/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
