/**
 * The files of a new provider: the module, its test, and the package that they are.
 */

export interface ProviderFile {
  readonly path: string;
  readonly text: string;
}

/** Whose handles a layer's sockets have. */
export type LayerHandles = 'system' | 'own';

/** @param home the folder of the package that it is written against */
export function layerFiles(name: string, home: string, handles: LayerHandles): readonly ProviderFile[] {
  return [
    { path: `${name}.mjs`, text: layerText(name, handles) },
    { path: `${name}.test.mjs`, text: layerTestText(name, handles) },
    { path: 'package.json', text: packageText(name, home) },
  ];
}

/** @param home the folder of the package that it is written against */
export function nameSpaceFiles(name: string, home: string): readonly ProviderFile[] {
  return [
    { path: `${name}.mjs`, text: nameSpaceText(name) },
    { path: `${name}.test.mjs`, text: nameSpaceTestText(name) },
    { path: 'package.json', text: packageText(name, home) },
  ];
}

function layerText(name: string, handles: LayerHandles): string {
  return `// @ts-check
// ${name}: a layered Winsock provider. What it leaves out is the provider's below it.
import { writeSync } from 'node:fs';
import { formatSockaddr } from 'winsockd/abi';
import { defineLayer } from 'winsockd/spi';

/** Is told every connect; console would wait until a program's calls no longer block. @type {{ tell: (line: string) => void }} */
export const seen = { tell: (line) => void writeSync(2, \`\${line}\\n\`) };

export const WSPStartup = defineLayer(
  (next) => ({
    WSPConnect(s, name, namelen, ...rest) {
      if (name !== null) seen.tell(\`connect \${s} to \${formatSockaddr(name)}\`);
      return next.WSPConnect(s, name, namelen, ...rest);
    },
  }),
  { name: '${name}', handles: '${handles}' },
);
`;
}

function layerTestText(name: string, handles: LayerHandles): string {
  const layer = handles === 'own' ? "{ startup: WSPStartup, handles: 'own' }" : 'WSPStartup';
  return `// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layeredHosts } from 'winsockd/spi/test';
import { seen, WSPStartup } from './${name}.mjs';

test('an application connects and sends through ${name}', async (t) => {
  const told = t.mock.method(seen, 'tell', () => {});
  const { own, peer, connection, faults, close } = await layeredHosts([${layer}]);
  t.after(close);

  const { s, served } = await connection(80);
  await own.send(s, Buffer.from('hello'));
  const room = Buffer.alloc(16);
  const count = await peer.recv(served, room);

  assert.equal(room.toString('utf8', 0, count), 'hello');
  assert.deepEqual(told.mock.calls[0]?.arguments, [\`connect \${s} to 10.0.0.2:80\`]);
  assert.deepEqual(faults, []);
});
`;
}

function nameSpaceText(name: string): string {
  return `// @ts-check
// ${name}: a name-space provider. It answers for names that end in .${name}; the others are left to the other providers.
import { WSAHOST_NOT_FOUND } from 'winsockd/abi';
import { defineNameSpace } from 'winsockd/spi';

/** Addresses by name. */
const HOSTS = new Map([['printer.${name}', ['10.0.0.21', '2001:db8::21']]]);

export const { NSPStartup } = defineNameSpace({
  takes: ({ name }) => name.toLowerCase().endsWith('.${name}'),
  find({ name }) {
    const addresses = HOSTS.get(name.toLowerCase());
    if (addresses === undefined) return -WSAHOST_NOT_FOUND;
    return [{ name, addresses: addresses.map((address) => ({ address })) }];
  },
});
`;
}

function nameSpaceTestText(name: string): string {
  return `// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namingHost } from 'winsockd/spi/test';
import { NSPStartup } from './${name}.mjs';

test('an application finds what ${name} knows', async (t) => {
  const { addressesOf, close } = await namingHost({ NSPStartup });
  t.after(close);

  assert.deepEqual(await addressesOf('printer.${name}'), ['10.0.0.21', '2001:db8::21']);
  await assert.rejects(addressesOf('nobody.${name}'), { name: 'WSAHOST_NOT_FOUND' });
  await assert.rejects(addressesOf('printer.elsewhere'));
});
`;
}

function packageText(name: string, home: string): string {
  const json = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    exports: `./${name}.mjs`,
    scripts: { test: 'node --test' },
    // Where it is; a version instead is for a package that others are to install.
    dependencies: { winsockd: `file:${home}` },
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
