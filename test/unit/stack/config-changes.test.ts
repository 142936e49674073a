import { expect, test } from '@jest/globals';
import { IpAddress, SeededRandom } from '../../../src/base/index.ts';
import { ConfigChange, createStack, type Stack } from '../../../src/stack/index.ts';

const ip = (text: string): IpAddress => IpAddress.parse(text) as IpAddress;

/** A stack whose configuration is watched, and what was told since the last look. */
function watched(): { stack: Stack; told: () => number[] } {
  let seen: number[] = [];
  const stack = createStack({
    clock: { now: () => 0 },
    random: new SeededRandom(1),
    configObserver: (changes) => void seen.push(changes),
  });
  const told = (): number[] => {
    stack.flushEvents();
    const result = seen;
    seen = [];
    return result;
  };
  return { stack, told };
}

test('changes of addresses, routes, interfaces and names are told once, at the next flush', () => {
  const { stack, told } = watched();
  expect(told()).toEqual([]);
  const index = stack.addInterface({ name: 'a', mtu: 1500 });
  expect(stack.nextDeadline).toBe(0);
  expect(told()).toEqual([ConfigChange.interfaces]);
  stack.addAddress(index, '10.0.0.2/24');
  expect(told()).toEqual([ConfigChange.addresses | ConfigChange.routes]);
  stack.addRoute({ destination: '0.0.0.0/0', gateway: '10.0.0.1', interfaceIndex: index });
  expect(told()).toEqual([ConfigChange.routes]);
  stack.setNames(index, { origin: 'dhcp', servers: [ip('10.0.0.1')], searchList: ['lan'] });
  expect(told()).toEqual([ConfigChange.names]);
  stack.removeAddress(index, ip('10.0.0.2'));
  expect(told()).toEqual([ConfigChange.addresses | ConfigChange.routes]);
  stack.removeInterface(index);
  expect(told()).toEqual([ConfigChange.interfaces | ConfigChange.addresses | ConfigChange.routes]);
  expect(told()).toEqual([]);
});

test('names are kept by origin: a later word of the same origin replaces the earlier, and an empty one ends it', () => {
  const { stack } = watched();
  const index = stack.addInterface({ name: 'a', mtu: 1500 });
  const names = () => stack.interfaces.find((held) => held.index === index)?.names;
  stack.setNames(index, { origin: 'dhcp', servers: [ip('10.0.0.1')], searchList: [] });
  stack.setNames(index, { origin: 'router', servers: [ip('10.0.0.3')], searchList: [] });
  stack.setNames(index, { origin: 'dhcp', servers: [ip('10.0.0.9')], searchList: ['lan'] });
  expect(names()?.map(({ origin, servers }) => `${origin} ${servers}`)).toEqual([
    'router 10.0.0.3',
    'dhcp 10.0.0.9',
  ]);
  stack.setNames(index, { origin: 'dhcp', servers: [], searchList: [] });
  expect(names()?.map(({ origin }) => origin)).toEqual(['router']);
});

test('an address says where it came from and for how long', () => {
  const { stack } = watched();
  const index = stack.addInterface({ name: 'a', mtu: 1500 });
  stack.addAddress(index, '10.0.0.2/24', { origin: 'dhcp', validUntil: 5000, preferredUntil: 4000 });
  expect(stack.interfaces.find((held) => held.index === index)?.addresses).toMatchObject([
    { origin: 'dhcp', state: 'preferred', validUntil: 5000, preferredUntil: 4000, prefixLength: 24 },
  ]);
});
