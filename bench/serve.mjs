// The stack under test of the whole-path benchmark: echo (7), discard (9) and source (19) on bare endpoints, in one process
// with a TUN device, as the peers are measured. No Winsock, no IPC. Usage:
//
//   node bench/serve.mjs --netns NAME [--tun tun0] [--no-offload] [--mtu 1500] [--heap]
//
// Prints READY. With --heap, prints on SIGUSR2 how often the garbage collector ran since the last time.
import { PerformanceObserver } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { IpAddress, PoolAllocator, parsePrefix } from '../dist/base/index.js';
import { Driver, RealTime, SystemRandom } from '../dist/engine/index.js';
import { TunLink } from '../dist/link/device/index.js';
import { createStack, EndpointEvent } from '../dist/stack/index.js';

const { values: options } = parseArgs({
  options: {
    netns: { type: 'string' },
    tun: { type: 'string', default: 'tun0' },
    mtu: { type: 'string', default: '1500' },
    offload: { type: 'boolean', default: true },
    heap: { type: 'boolean', default: false },
  },
  allowNegative: true,
});

const CHUNK = 256 << 10;
const scratch = new Uint8Array(CHUNK);
const ballast = new Uint8Array(CHUNK).fill(120);

/** What happens on a connection of each service. */
const services = {
  echo(endpoint) {
    for (;;) {
      // Only what can be sent again is taken, so that nothing is held here.
      const room = Math.min(endpoint.writableBytes, CHUNK);
      const length = room > 0 ? endpoint.read(scratch, 0, room) : -1;
      if (length === 0) endpoint.close();
      if (length <= 0) return;
      endpoint.write(scratch, 0, length);
    }
  },
  discard(endpoint) {
    for (;;) {
      const length = endpoint.read(scratch, 0, CHUNK);
      if (length === 0) endpoint.close();
      if (length <= 0) return;
    }
  },
  source(endpoint, events) {
    if ((events & EndpointEvent.peerClosed) !== 0) {
      endpoint.close();
      return;
    }
    while (endpoint.write(ballast, 0, CHUNK) === CHUNK);
  },
};

function observe(endpoint, events) {
  if ((events & EndpointEvent.failed) !== 0) {
    endpoint.close();
    return;
  }
  if (endpoint.state === 'LISTEN') {
    for (let child = endpoint.accept(); child !== null; child = endpoint.accept()) {
      child.noDelay = true;
      child.context = endpoint.context;
      child.context(child, EndpointEvent.readable);
    }
    return;
  }
  endpoint.context?.(endpoint, events);
}

const scheduler = new RealTime();
const stack = createStack({
  clock: scheduler,
  random: new SystemRandom(),
  allocator: new PoolAllocator(),
  wake: () => driver.wake(),
  observer: observe,
});
const driver = new Driver({ stack, scheduler, defer: queueMicrotask });
const link = TunLink.create({
  name: options.tun,
  ...(options.netns === undefined ? {} : { namespace: options.netns }),
  mtu: Number(options.mtu),
  ...(options.offload ? {} : { offload: 0 }),
});
link.device.addAddress(parsePrefix('10.9.0.1/24'));
link.device.isUp = true;
driver.attach(link, { addresses: ['10.9.0.2/24'] });
for (const [port, service] of [
  [7, services.echo],
  [9, services.discard],
  [19, services.source],
]) {
  const listener = stack.openTcp();
  listener.context = service;
  if (listener.bind(IpAddress.anyV4, port) < 0 || listener.listen(1024) < 0) throw new Error(`port ${port}`);
}

if (options.heap) {
  let collections = 0;
  let milliseconds = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      collections++;
      milliseconds += entry.duration;
    }
  }).observe({ entryTypes: ['gc'] });
  process.on('SIGUSR2', () => {
    const { heapUsed } = process.memoryUsage();
    console.log(JSON.stringify({ collections, gcMs: Math.round(milliseconds * 10) / 10, heapUsed }));
    collections = 0;
    milliseconds = 0;
  });
}
process.on('SIGTERM', () => {
  driver.close();
  process.exit(0);
});
console.log('READY');
