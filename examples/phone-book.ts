/**
 * A name space of one's own: hosts of the domain `phone`, and services that applications register while it runs. Both versions of
 * the provider; docs/name-spaces.md explains it line by line. In a module of your own the imports are from 'winsockd/spi' and
 * 'winsockd/abi'.
 */

import { RNRSERVICE_REGISTER, WSANO_DATA } from '../src/abi/index.ts';
import { defineNameSpace, type NameResult } from '../src/spi/index.ts';

const PHONES = new Map<string, NameResult>([
  ['alice.phone', { addresses: [{ address: '10.0.0.21' }, { address: '2001:db8::21' }], comment: 'kitchen' }],
]);
const watchers = new Set<() => void>();

export const { NSPStartup, NSPv2Routine } = defineNameSpace({
  takes: ({ name }) => name.endsWith('.phone'),
  find: ({ name }) => {
    const phone = PHONES.get(name.toLowerCase());
    return phone === undefined ? -WSANO_DATA : [phone];
  },
  set({ info, operation }) {
    const name = info.lpszServiceInstanceName?.toLowerCase() ?? '';
    if (operation === RNRSERVICE_REGISTER)
      PHONES.set(name, {
        members: { dwNumberOfCsAddrs: info.dwNumberOfCsAddrs, lpcsaBuffer: info.lpcsaBuffer },
      });
    else if (!PHONES.delete(name)) return -WSANO_DATA;
    for (const changed of watchers) changed();
    return 0;
  },
  watch(_question, changed) {
    watchers.add(changed);
    return () => watchers.delete(changed);
  },
});
