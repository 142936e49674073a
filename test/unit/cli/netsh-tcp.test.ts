/** `winsockd netsh interface tcp` and `netsh winsock … autotuning`, as people type them. */

import { afterEach, describe, expect, test } from '@jest/globals';
import type { TcpSettingsStatus } from '../../../src/port/index.ts';
import { cli, FakeDaemon } from './harness.ts';

let daemon: FakeDaemon | undefined;
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

const SETTINGS: TcpSettingsStatus = {
  sendBufferSize: 262_144,
  sendBufferMax: 16_777_216,
  receiveBufferSize: 262_144,
  receiveBufferMax: 0xffff << 8,
  initialRto: 1000,
  maxSynRetransmissions: 4,
  timestamps: true,
  ecn: 'passive',
  fastOpen: false,
  congestionControl: 'cubic',
  pacing: false,
};

/** Runs a line against a daemon with these settings. */
async function netsh(line: string, settings: Partial<TcpSettingsStatus> = {}) {
  const now = { ...SETTINGS, ...settings };
  daemon = await FakeDaemon.start({ 'GET /v1/tcp-settings': now, 'PATCH /v1/tcp-settings': now });
  const outcome = await daemon.cli(`netsh ${line}`);
  return {
    ...outcome,
    changes: daemon.asked.filter(({ method }) => method === 'PATCH').map(({ body }) => body),
  };
}

describe('winsockd netsh interface tcp', () => {
  test('show global lists the settings in netsh’s words', async () => {
    const { out, code } = await netsh('int tcp show global');
    expect(out).toBe(`TCP Global Parameters
----------------------------------------------
Receive-Side Scaling State          : not there
Receive Window Auto-Tuning Level    : normal
Add-On Congestion Control Provider  : cubic
ECN Capability                      : default (when the peer asks)
RFC 1323 Timestamps                 : enabled
Initial RTO                         : 1000
Receive Segment Coalescing State    : the device’s
Non Sack Rtt Resiliency             : not there
Max SYN Retransmissions             : 4
Fast Open                           : disabled
Fast Open Fallback                  : enabled
HyStart                             : enabled
Proportional Rate Reduction         : enabled
Pacing Profile                      : off

`);
    expect(code).toBe(0);
    await daemon?.stop();
    const other = await netsh('interface tcp show global', { receiveBufferMax: 1_000_000, ecn: 'classic' });
    expect(other.out).toContain('Level    : custom (262144 to 1000000 bytes)');
    expect(other.out).toContain('ECN Capability                      : enabled');
  });

  test.each<[string, Partial<TcpSettingsStatus>]>([
    ['autotuninglevel=disabled', { receiveBufferSize: 65_535, receiveBufferMax: 65_535 }],
    ['autotuninglevel=highlyrestricted', { receiveBufferSize: 65_535, receiveBufferMax: 262_140 }],
    ['autotuninglevel=restricted', { receiveBufferSize: 262_144, receiveBufferMax: 1_048_560 }],
    ['autotuning=normal', { receiveBufferSize: 262_144, receiveBufferMax: 16_776_960 }],
    ['AutoTuningLevel=Experimental', { receiveBufferSize: 262_144, receiveBufferMax: 1_073_725_440 }],
    ['ecncapability=enabled timestamps=disabled', { ecn: 'classic', timestamps: false }],
    ['ecncapability=disabled', { ecn: 'off' }],
    ['initialrto=2000 maxsynretransmissions=3', { initialRto: 2000, maxSynRetransmissions: 3 }],
    ['fastopen=enabled', { fastOpen: true }],
    ['congestionprovider=default', { congestionControl: 'cubic' }],
    ['pacingprofile=always', { pacing: true }],
  ])('set global %s', async (words, change) => {
    const { changes, out, code } = await netsh(`int tcp set global ${words}`);
    expect(changes).toEqual([change]);
    expect(out).toContain('lasts until the daemon ends');
    expect(code).toBe(0);
  });

  test('set supplemental chooses the congestion provider, whatever the template', async () => {
    const { changes } = await netsh('int tcp set supplemental template=internet congestionprovider=newreno');
    expect(changes).toEqual([{ congestionControl: 'newreno' }]);
  });

  test('reset is the stack’s own settings', async () => {
    expect((await netsh('int tcp reset')).changes).toEqual([SETTINGS]);
  });

  test.each([
    ['set global rss=enabled', "rss can't be set: the stack runs in one thread"],
    ['set global chimney=disabled', 'no network card takes connections over'],
    ['set global hystart=disabled', 'always'],
    [
      'set global autotuninglevel=fast',
      'one of disabled, highlyrestricted, restricted, normal, experimental',
    ],
    ['set global colour=blue', 'one of autotuninglevel'],
    ['set global initialrto=100', 'from 300 to 3000'],
    ['set global timestamps=maybe', 'enabled, disabled or default'],
    ['set global congestionprovider=ctcp', 'default or one of cubic'],
    ['set supplemental internet', 'anything to change'],
  ])('%s is refused with the reason', async (words, reason) => {
    const { code, err, changes } = await netsh(`int tcp ${words}`);
    expect(err).toContain(reason);
    expect([code, changes]).toEqual([2, []]);
  });
});

describe('winsockd netsh winsock autotuning', () => {
  test('shows whether send buffers grow', async () => {
    expect((await netsh('winsock show autotuning')).out).toBe(
      'Winsock send autotuning is enabled: they grow from 262144 to at most 16777216 bytes.\n\n',
    );
    await daemon?.stop();
    expect((await netsh('winsock show autotuning', { sendBufferMax: 262_144 })).out).toBe(
      'Winsock send autotuning is disabled: they stay at 262144 bytes.\n\n',
    );
  });

  test.each([
    ['off', { sendBufferMax: 262_144 }],
    ['on', { sendBufferMax: 16_777_216 }],
  ])('set autotuning %s', async (word, change) => {
    expect((await netsh(`winsock set autotuning ${word}`)).changes).toEqual([change]);
  });

  test('set autotuning maybe is a usage error', async () => {
    expect(await cli('netsh winsock set autotuning maybe')).toMatchObject({ code: 2 });
  });
});
