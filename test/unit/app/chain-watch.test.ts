import { describe, expect, test } from '@jest/globals';
import type { WSAPROTOCOL_INFO } from '../../../src/abi/index.ts';
import { LayerWatch, layerClock, loopLimit, noteTurn, watchMemory } from '../../../src/app/chain-watch.ts';
import { DEFAULT_CATALOG, type LayerRecord } from '../../../src/spi/index.ts';

const record = (name: string): LayerRecord => ({
  name,
  path: `/${name}`,
  chain: DEFAULT_CATALOG[0] as WSAPROTOCOL_INFO,
  depth: 0,
  sockets: new Map(),
});

test.each([
  [undefined, 5000],
  ['300', 300],
  ['1e9', 1e9],
  ['1e12', 1e9],
  ['Infinity', 1e9],
  ['0', 5000],
  ['-1', 5000],
  ['soon', 5000],
])('WINSOCKD_LOOP_LIMIT %p is %d ms', (value, expected) => {
  const before = process.env['WINSOCKD_LOOP_LIMIT'];
  if (value === undefined) delete process.env['WINSOCKD_LOOP_LIMIT'];
  else process.env['WINSOCKD_LOOP_LIMIT'] = value;
  expect(loopLimit()).toBe(expected);
  if (before === undefined) delete process.env['WINSOCKD_LOOP_LIMIT'];
  else process.env['WINSOCKD_LOOP_LIMIT'] = before;
});

describe('the watchdog of the chain thread', () => {
  test('SEM-C-02 names the layer whose code has not come back for the limit, and its call', () => {
    const memory = watchMemory();
    const clock = layerClock(memory);
    const watch = new LayerWatch(memory, 5000);
    const [lower, upper] = [record('lower'), record('ü'.repeat(60))];
    clock.started(lower);
    clock.started(upper);
    expect(watch.look(0)).toBeNull();
    clock.enter(upper, 'WSPSend');
    expect(watch.look(1000)).toBeNull();
    clock.enter(lower, 'WSPConnect');
    expect(watch.look(2000)).toBeNull();
    expect(watch.look(6999)).toBeNull();
    expect(watch.look(7000)).toBe('the layered provider lower does not come back from WSPConnect');
    noteTurn(memory);
    clock.leave(lower, 'WSPConnect');
    expect(watch.look(7001)).toBeNull();
    // The outer one runs again. A name that is too long is cut.
    expect(watch.look(12_001)).toMatch(/^the layered provider ü+\ufffd? does not come back from WSPSend$/);
    clock.leave(upper, 'WSPSend');
    noteTurn(memory);
    expect(watch.look(20_000)).toBeNull();
    noteTurn(memory);
    expect(watch.look(99_000)).toBeNull();
  });

  test('SEM-C-02 what a layer has left behind and does not end is told, when the event loop has not turned for the limit', () => {
    const memory = watchMemory();
    const clock = layerClock(memory);
    const watch = new LayerWatch(memory, 5000);
    // Nothing but our own code runs before there is a layer.
    for (let now = 0; now < 20_000; now += 1000) expect(watch.look(now)).toBeNull();
    clock.started(record('promising'));
    for (let now = 20_000; now < 40_000; now += 1000) {
      noteTurn(memory);
      expect(watch.look(now)).toBeNull();
    }
    for (let now = 40_000; now < 44_000; now += 1000) expect(watch.look(now)).toBeNull();
    expect(watch.look(44_000)).toBe('code of a provider, outside of its calls, does not come back');
  });

  test('a process that was stopped for a while has no layer that loops', () => {
    const memory = watchMemory();
    const clock = layerClock(memory);
    const watch = new LayerWatch(memory, 5000);
    clock.started(record('idle'));
    expect([watch.look(0), watch.look(60_000), watch.look(61_000)]).toEqual([null, null, null]);
  });

  test('a layer that comes back and is called again and again is none that loops', () => {
    const memory = watchMemory();
    const clock = layerClock(memory);
    const watch = new LayerWatch(memory, 10);
    const layer = record('busy');
    clock.started(layer);
    for (let now = 0; now < 1000; now += 10) {
      clock.enter(layer, 'WSPRecv');
      expect(watch.look(now)).toBeNull();
      clock.leave(layer, 'WSPRecv');
    }
  });

  test('more layers than there is room for names are counted', () => {
    const memory = watchMemory();
    const clock = layerClock(memory);
    const watch = new LayerWatch(memory, 0);
    const layers = Array.from({ length: 70 }, (_, i) => record(`layer no ${i}`));
    for (const layer of layers) clock.started(layer);
    clock.enter(layers[69] as LayerRecord, 'WSPBind');
    watch.look(0);
    expect(watch.look(1)).toBe('the layered provider layer 70 does not come back from WSPBind');
  });
});
