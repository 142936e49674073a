/**
 * The files of a new provider: the module, its test, and the package that they are.
 */

export interface ProviderFile {
  readonly path: string;
  readonly text: string;
}

export interface ProviderChoices {
  /** Of the package that it is written against. */
  readonly version: string;
  readonly handles: 'system' | 'own';
}

export function providerFiles(name: string, choices: ProviderChoices): readonly ProviderFile[] {
  return [
    { path: `${name}.mjs`, text: moduleText(name, choices) },
    { path: `${name}.test.mjs`, text: testText(name, choices) },
    { path: 'package.json', text: packageText(name, choices) },
  ];
}

function moduleText(name: string, { handles }: ProviderChoices): string {
  return `// @ts-check
// ${name}: a layered Winsock provider. What it leaves out is the provider's below it.
import { formatSockaddr } from 'winsockd/abi';
import { defineLayer } from 'winsockd/spi';

/** Is told every connect. @type {{ tell: (line: string) => void }} */
export const seen = { tell: (line) => console.error(line) };

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

function testText(name: string, { handles }: ProviderChoices): string {
  const layer = handles === 'own' ? "{ startup: WSPStartup, handles: 'own' }" : 'WSPStartup';
  return `// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AF_INET, IPPROTO_TCP, SOCK_STREAM } from 'winsockd/abi';
import { layeredHosts } from 'winsockd/spi/test';
import { seen, WSPStartup } from './${name}.mjs';

test('an application connects and sends through ${name}', async (t) => {
  /** @type {string[]} */
  const lines = [];
  seen.tell = (line) => void lines.push(line);
  const { own, peer, at, faults, close } = await layeredHosts([${layer}]);
  t.after(close);

  const listener = await peer.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  await peer.bind(listener, at(peer.address, 80));
  await peer.listen(listener, 1);
  const s = await own.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  const [served] = await Promise.all([peer.accept(listener), own.connect(s, at(peer.address, 80))]);
  await own.send(s, Buffer.from('hello'));
  const room = Buffer.alloc(16);
  const count = await peer.recv(served, room);

  assert.equal(room.toString('utf8', 0, count), 'hello');
  assert.deepEqual(lines, [\`connect \${s} to 10.0.0.2:80\`]);
  assert.deepEqual(faults, []);
});
`;
}

function packageText(name: string, { version }: ProviderChoices): string {
  const json = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    exports: `./${name}.mjs`,
    scripts: { test: 'node --test' },
    dependencies: { winsockd: version },
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
