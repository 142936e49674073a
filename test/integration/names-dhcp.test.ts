/** Name servers and suffixes by DHCP: a daemon on a TAP device that was told nothing resolves short names by dnsmasq. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { NslookupReport } from '../../src/cli/commands/nslookup.ts';
import { type Daemon, loadConfig, startDaemon } from '../../src/daemon/index.ts';
import { until } from '../support/live-host.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';
import { cli } from '../unit/cli/harness.ts';

jest.setTimeout(60_000);

describePrivileged('names by DHCP', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wsk-names-dhcp-'));
  const control = join(folder, 'control.sock');
  let space: Namespace;
  let daemon: Daemon;

  beforeAll(async () => {
    space = createNamespace();
    daemon = await startDaemon(
      loadConfig({
        flags: {
          tap: 'tap0',
          netns: space.name,
          hostAddress: ['10.9.0.1/24'],
          dhcp: true,
          socket: join(folder, 'winsockd.sock'),
          control,
          log: join(folder, 'log'),
        },
      }),
      { giveUpPrivileges: () => false },
    );
    const options = [
      ...['--no-daemon', '--conf-file=/dev/null', '--pid-file=', '--user=root', '--no-resolv', '--no-hosts'],
      ...[
        '--interface=tap0',
        '--except-interface=lo',
        '--bind-interfaces',
        '--dhcp-range=10.9.0.50,10.9.0.60,2m',
      ],
      ...['--dhcp-option=option:domain-name,lab.example', '--dhcp-authoritative', '--leasefile-ro'],
      ...['--host-record=www.lab.example,10.1.0.1', '--local=/lab.example/'],
    ];
    const dnsmasq = space.spawn(['dnsmasq', ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    dnsmasq.stderr?.on('data', (text) => {
      said += text;
    });
    await until('dnsmasq serves', () => said.includes('started'));
    await until('an address is leased', () => said.includes('DHCPACK'), 40_000);
  });

  afterAll(async () => {
    await daemon?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('RFC 2132 §3.8, §3.17 the server and the domain of the lease are used at once', async () => {
    let report: NslookupReport | null = null;
    const ask = async (): Promise<void> => {
      const { out, code } = await cli(['nslookup', 'www', '-type=A', '--json', '--control', control]);
      if (code === 0) report = JSON.parse(out) as NslookupReport;
    };
    for (let i = 0; i < 100 && report === null; i++) {
      await ask();
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(report).toMatchObject({
      server: { address: '10.9.0.1' },
      answer: { name: 'www.lab.example', records: [{ data: '10.1.0.1' }] },
    });
  });
});
