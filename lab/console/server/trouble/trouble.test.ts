import { createClient } from '@acme/rpc/client';
import { Code } from '@acme/rpc/errors';
import { EchoService, rejectionOf, startFaultProxy, startTestServer } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import type { PartState } from '../../api.ts';
import type { Breakable } from './breakable.ts';
import { linePart } from './line-part.ts';
import { startTrouble } from './trouble.ts';

/** A part that only records what happens to it. */
function recorded(fails: () => boolean = () => false) {
  const actions: string[] = [];
  let state: PartState = 'up';
  const part: Breakable = {
    id: 'service:echo',
    kind: 'service',
    name: 'echo',
    observe: async () => state,
    possible: (now) => (now === 'up' ? ['kill', 'pause'] : ['restart']),
    act: async (action) => {
      if (fails()) throw new Error(`echo does not ${action}`);
      actions.push(action);
      state = action === 'restart' ? 'up' : 'down';
    },
    undo: async () => {
      if (fails()) throw new Error('echo does not start');
      actions.push('undo');
      state = 'up';
    },
    release: () => actions.push('release'),
  };
  return { part, actions };
}

test('trouble is undone on request, and by its timer', async () => {
  const { part, actions } = recorded();
  await using trouble = startTrouble([part], () => {});
  const [before] = trouble.parts;
  expect(before).toMatchObject({ state: 'up', actions: ['kill', 'pause'], undoAtMs: null, problem: null });
  await trouble.apply({ part: 'service:echo', action: 'kill', forMs: null });
  expect(trouble.parts).toMatchObject([{ state: 'down', actions: ['restart', 'undo'], undoAtMs: null }]);
  await trouble.apply({ part: 'service:echo', action: 'undo', forMs: null });
  expect(trouble.parts).toMatchObject([{ state: 'up', actions: ['kill', 'pause'] }]);
  const beganMs = Date.now();
  await trouble.apply({ part: 'service:echo', action: 'pause', forMs: 100 });
  expect(trouble.parts[0]?.undoAtMs).toBeGreaterThanOrEqual(beganMs + 100);
  await expect.poll(() => trouble.parts).toMatchObject([{ state: 'up', undoAtMs: null }]);
  expect(actions).toEqual(['kill', 'undo', 'pause', 'undo']);
});

test('undo ends the timer of the trouble', async () => {
  const { part, actions } = recorded();
  await using trouble = startTrouble([part], () => {});
  await trouble.apply({ part: 'service:echo', action: 'kill', forMs: 60_000 });
  await trouble.apply({ part: 'service:echo', action: 'undo', forMs: null });
  expect(trouble.parts).toMatchObject([{ state: 'up', undoAtMs: null }]);
  expect(actions).toEqual(['kill', 'undo']);
});

test('an unknown part, and an action that is not possible, are rejected', async () => {
  const { part, actions } = recorded();
  await using trouble = startTrouble([part], () => {});
  const apply = (id: string, action: 'restart' | 'cut') => trouble.apply({ part: id, action, forMs: null });
  await expect(apply('service:other', 'restart')).rejects.toMatchObject({ status: 404 });
  await expect(apply('service:echo', 'restart')).rejects.toMatchObject({
    status: 409,
    message: 'echo is up: it cannot restart now',
  });
  expect(actions).toEqual([]);
});

test('a failed action is reported with the part until one succeeds', async () => {
  let fails = true;
  const { part } = recorded(() => fails);
  await using trouble = startTrouble([part], () => {});
  const kill = () => trouble.apply({ part: 'service:echo', action: 'kill', forMs: null });
  await expect(kill()).rejects.toThrow('echo does not kill');
  expect(trouble.parts).toMatchObject([{ state: 'up', problem: 'echo does not kill' }]);
  fails = false;
  await kill();
  expect(trouble.parts).toMatchObject([{ state: 'down', problem: null }]);
});

test('at the end every part is released, and no timer undoes anything', async () => {
  const { part, actions } = recorded();
  const trouble = startTrouble([part], () => {});
  await trouble.apply({ part: 'service:echo', action: 'kill', forMs: 1 });
  await trouble[Symbol.asyncDispose]();
  expect(actions.filter((action) => action !== 'undo')).toEqual(['kill', 'release']);
});

test('a line that is cut, delayed or black-holed affects the calls over it, until it is undone', async () => {
  await using server = await startTestServer(EchoService, {
    getEcho: async ({ key }) => ({ echo: { key } }),
  });
  await using proxy = await startFaultProxy({ target: server.target });
  using client = createClient(EchoService, { target: proxy.target, token: () => 'token' });
  await using trouble = startTrouble([linePart('front', 'back', proxy)], () => {});
  const part = 'line:front-back';
  const echo = (deadlineMs = 1000) => client.getEcho({ key: 'A' }, { deadlineMs });
  const apply = (action: 'cut' | 'delay' | 'black-hole' | 'undo', delayMs = 0) =>
    trouble.apply({ part, action, forMs: null, delayMs });
  await echo();
  await apply('cut');
  expect(trouble.parts).toMatchObject([{ id: part, name: 'front → back', state: 'cut' }]);
  expect(await rejectionOf(echo())).toMatchObject({ code: Code.UNAVAILABLE });
  await apply('undo');
  await expect.poll(() => echo().then(() => 'answered', String)).toBe('answered');
  await apply('delay', 200);
  expect(trouble.parts).toMatchObject([{ state: 'delayed' }]);
  const beganMs = performance.now();
  await echo();
  expect(performance.now() - beganMs).toBeGreaterThan(350);
  await apply('black-hole');
  expect(trouble.parts).toMatchObject([{ state: 'black-holed' }]);
  expect(await rejectionOf(echo(300))).toMatchObject({ code: Code.DEADLINE_EXCEEDED });
  await apply('undo');
  await expect.poll(() => echo().then(() => 'answered', String)).toBe('answered');
  expect(trouble.parts).toMatchObject([{ state: 'up', actions: ['cut', 'delay', 'black-hole'] }]);
});
