/**
 * Builds the addon with node-gyp, from the headers that were installed with this Node. Nothing is downloaded.
 *
 * `npm run build:native`; another Node's headers: `npm_config_nodedir=/path npm run build:native`.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `include/node/node_api.h` lies; `null` when this Node came without headers. */
function nodeDirectory() {
  const prefix = dirname(dirname(process.execPath));
  const candidates = [process.env.npm_config_nodedir, prefix, '/usr', '/usr/local'];
  return candidates.find((path) => path && existsSync(join(path, 'include/node/node_api.h'))) ?? null;
}

function main() {
  if (process.platform !== 'linux') {
    process.stderr.write('the addon is for Linux; everything but TUN and TAP devices works without it\n');
    return 0;
  }
  const nodedir = nodeDirectory();
  if (nodedir === null) {
    process.stderr.write(
      'node_api.h was not found: install the headers that belong to this Node (the official archives and the\n' +
        'nodejs package have them in include/node), or set npm_config_nodedir to the directory above include/\n',
    );
    return 1;
  }
  const directory = dirname(fileURLToPath(import.meta.url));
  const outcome = spawnSync('node-gyp', ['rebuild', '--directory', directory, '--nodedir', nodedir], {
    stdio: 'inherit',
  });
  if (outcome.error) {
    process.stderr.write(
      `node-gyp did not start (${outcome.error.message}): run this with npm run build:native\n`,
    );
    return 1;
  }
  return outcome.status ?? 1;
}

process.exitCode = main();
