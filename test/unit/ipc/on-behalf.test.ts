/** A session that stands for another process than the one that has connected: who may claim it, and what comes of it. */

import { afterEach, describe, expect, test } from '@jest/globals';
import { type ReadStatus, refuseRepresentation } from '../../../src/ipc/index.ts';
import { Harness } from './harness.ts';

/** Processes by id: their parents, and their users when they are not all 1000. */
function processes(tree: Record<number, { parent: number; users?: number[] }>): ReadStatus {
  return (pid) => {
    const found = tree[pid];
    return found === undefined ? null : { users: [1000, 1000, 1000, 1000], ...found };
  };
}

const HOST = { pid: 300, uid: 1000, gid: 1000 };

describe('who may stand for another process', () => {
  test.each([
    ['its child', { 100: { parent: 1 }, 300: { parent: 100 } }],
    ['a child of its helper', { 100: { parent: 1 }, 200: { parent: 100 }, 300: { parent: 200 } }],
  ])('%s', (_who, tree) => {
    expect(refuseRepresentation(HOST, 100, processes(tree))).toBeNull();
  });

  test.each([
    ['of a process that is not there', { 300: { parent: 100 } }, /no process 100/],
    [
      'of another user’s process',
      { 100: { parent: 1, users: [0, 0, 0, 0] }, 300: { parent: 100 } },
      /another user/,
    ],
    [
      'of a process that may become another user',
      { 100: { parent: 1, users: [1000, 1000, 0, 1000] }, 300: { parent: 100 } },
      /another user/,
    ],
    ['of a neighbour', { 100: { parent: 50 }, 300: { parent: 50 }, 50: { parent: 1 } }, /has not started/],
    ['of an application that has gone', { 100: { parent: 1 }, 300: { parent: 1 } }, /has not started/],
  ])('not %s', (_whom, tree, reason) => {
    expect(refuseRepresentation(HOST, 100, processes(tree))).toMatch(reason);
  });

  test('a child of a container’s first process', () => {
    expect(refuseRepresentation(HOST, 1, processes({ 1: { parent: 0 }, 300: { parent: 1 } }))).toBeNull();
  });

  test('not in a circle, which a hostile listing might be', () => {
    const tree = processes({ 100: { parent: 1 }, 300: { parent: 301 }, 301: { parent: 300 } });
    expect(refuseRepresentation(HOST, 100, tree)).toMatch(/has not started/);
  });

  test('not without knowing who asks', () => {
    const tree = processes({ 100: { parent: 1 } });
    expect(refuseRepresentation({ ...HOST, pid: 0 }, 100, tree)).toMatch(/native addon is not built/);
    expect(refuseRepresentation(HOST, 0, tree)).toMatch(/no process/);
    expect(refuseRepresentation(HOST, -1, tree)).toMatch(/no process/);
  });

  test('as the kernel has it: a process for its parent, not for its child', () => {
    const uid = process.getuid?.() ?? 0;
    const own = { pid: process.pid, uid, gid: 0 };
    expect(refuseRepresentation(own, process.pid)).toBeNull();
    expect(refuseRepresentation({ ...own, pid: process.ppid }, process.pid)).toMatch(/has not started/);
    expect(refuseRepresentation({ ...own, uid: uid + 1 }, process.pid)).toMatch(/another user/);
  });
});

describe('a session on behalf of another process', () => {
  let harness: Harness;

  afterEach(() => harness.close());

  test('is that process’s for everybody', async () => {
    const asked: number[] = [];
    harness = await Harness.start({
      refuseFor: (_identity, pid) => {
        asked.push(pid);
        return null;
      },
    });
    const { port } = await harness.client({ onBehalfOf: 77 });
    expect(port.isOnBehalf).toBe(true);
    expect(asked).toEqual([77]);
    expect(harness.ports[0]?.identity).toEqual({ pid: 77, uid: 1000, gid: 1000 });
    expect(harness.server.sessions[0]?.identity.pid).toBe(77);
  });

  test('is refused with the reason', async () => {
    harness = await Harness.start({ refuseFor: () => 'no child of yours' });
    await expect(harness.client({ onBehalfOf: 77 })).rejects.toMatchObject({
      code: 'notPermitted',
      message: expect.stringContaining('no child of yours'),
    });
    expect(harness.ports).toEqual([]);
  });

  test('is not had from a server that knows none', async () => {
    harness = await Harness.start();
    await expect(harness.client({ onBehalfOf: 77 })).rejects.toMatchObject({ code: 'notPermitted' });
  });

  test('is not what a client gets that asks for none', async () => {
    harness = await Harness.start({ refuseFor: () => null });
    expect((await harness.client()).port.isOnBehalf).toBe(false);
    expect(harness.ports[0]?.identity.pid).toBe(1234);
  });
});
