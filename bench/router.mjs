// The router under test of the forwarding benchmark: our stack between two TUN devices, each in a namespace of its own. Usage:
//
//   node bench/router.mjs --left NAME --right NAME [--no-offload] [--nat]
//
// The kernel's ends have 10.9.1.1 and 10.9.2.1, ours 10.9.1.2 and 10.9.2.2; with --nat what goes to the right leaves from 10.9.2.2.
// Prints READY.
import { parseArgs } from 'node:util';
import { PoolAllocator, parsePrefix } from '../dist/base/index.js';
import { Driver, RealTime, SystemRandom } from '../dist/engine/index.js';
import { TunLink } from '../dist/link/device/index.js';
import { createStack } from '../dist/stack/index.js';

const { values: options } = parseArgs({
  options: {
    left: { type: 'string' },
    right: { type: 'string' },
    offload: { type: 'boolean', default: true },
    nat: { type: 'boolean', default: false },
  },
  allowNegative: true,
});

const scheduler = new RealTime();
const stack = createStack({
  clock: scheduler,
  random: new SystemRandom(),
  allocator: new PoolAllocator(),
  wake: () => driver.wake(),
});
const driver = new Driver({ stack, scheduler, defer: queueMicrotask });
const [, right] = [options.left, options.right].map((namespace, i) => {
  const net = `10.9.${i + 1}`;
  const offload = options.offload ? {} : { offload: 0 };
  const link = TunLink.create({ name: 'tun0', namespace, mtu: 1500, ...offload });
  link.device.addAddress(parsePrefix(`${net}.1/24`));
  link.device.queueLength = 1000;
  link.device.isUp = true;
  const index = driver.attach(link, { addresses: [`${net}.2/24`] });
  stack.setInterface(index, { isForwarding: true });
  return index;
});
if (options.nat) stack.setNat({ interfaceIndex: right });
process.on('SIGTERM', () => {
  driver.close();
  process.exit(0);
});
console.log('READY');
