import { expect, test } from '@jest/globals';
import { groupStatus } from '../../../src/daemon/groups-view.ts';
import { igmpQuery } from '../../support/igmp.ts';
import { ip, makeHost } from '../stack/support.ts';

test('groups are shown with their interface, filter and protocol', () => {
  const host = makeHost();
  const udp = host.stack.openUdp();
  udp.joinGroup(ip('239.1.1.1'));
  udp.joinGroup(ip('232.1.1.1'), {}, ip('10.0.0.9'));
  const shown = { interfaceIndex: host.index, interface: 'test', scope: 0, members: 1 };
  expect(groupStatus(host.stack)).toEqual([
    { ...shown, group: '239.1.1.1', mode: 'exclude', sources: [], isReporter: true, protocol: 'IGMPv3' },
    {
      ...shown,
      group: '232.1.1.1',
      mode: 'include',
      sources: ['10.0.0.9'],
      isReporter: true,
      protocol: 'IGMPv3',
    },
  ]);
  host.in(igmpQuery({ version: 1 }));
  expect(groupStatus(host.stack).map(({ protocol }) => protocol)).toEqual(['IGMPv1', 'IGMPv1']);
});
