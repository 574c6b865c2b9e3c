import { setImmediate } from 'node:timers/promises';
import { createClient } from '@acme/rpc/client';
import { Code } from '@acme/rpc/errors';
import { EchoService, rejectionOf, startFaultProxy, startTestServer } from '@acme/rpc/testing';
import { afterEach, expect, test, vi } from 'vitest';
import type { PartState } from '../../api.ts';
import type { Breakable } from './breakable.ts';
import { linePart } from './line-part.ts';
import { startTrouble } from './trouble.ts';

afterEach(() => void vi.useRealTimers());

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
  const kill = () => trouble.apply({ part: 'service:echo', action: 'kill', forMs: 60_000 });
  await expect(kill()).rejects.toThrow('echo does not kill');
  expect(trouble.parts).toMatchObject([{ state: 'up', problem: 'echo does not kill' }]);
  expect(trouble.parts).toMatchObject([{ actions: ['kill', 'pause'], undoAtMs: null }]);
  fails = false;
  await kill();
  expect(trouble.parts).toMatchObject([{ state: 'down', problem: null }]);
});

test('at the end every part is released, and no timer undoes anything', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { part, actions } = recorded();
  const trouble = startTrouble([part], () => {});
  await trouble.apply({ part: 'service:echo', action: 'kill', forMs: 60_000 });
  await trouble[Symbol.asyncDispose]();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(actions).toEqual(['kill', 'release']);
});

test('an answer from before an action does not end the trouble', async () => {
  const { part } = recorded();
  const answers: PromiseWithResolvers<PartState>[] = [];
  const observe = () => {
    const answer = Promise.withResolvers<PartState>();
    answers.push(answer);
    return answer.promise;
  };
  await using trouble = startTrouble([{ ...part, observe }], () => {});
  const paused = trouble.apply({ part: 'service:echo', action: 'pause', forMs: 60_000 });
  await expect.poll(() => answers.length).toBe(2);
  answers[1]?.resolve('paused');
  await paused;
  answers[0]?.resolve('up');
  await setImmediate();
  expect(trouble.parts).toMatchObject([{ state: 'paused', undoAtMs: expect.any(Number) }]);
  // The end waits for the check in progress.
  await expect.poll(() => answers.length).toBe(3);
  answers[2]?.resolve('up');
});

test('a part that does not answer delays no other one', async () => {
  const { part } = recorded();
  const hung = Promise.withResolvers<PartState>();
  let observations = 0;
  const counted = async (): Promise<PartState> => {
    observations++;
    return 'up';
  };
  const parts = [
    { ...part, observe: () => hung.promise },
    { ...part, id: 'service:other', observe: counted },
  ];
  await using _trouble = startTrouble(parts, () => {});
  await expect.poll(() => observations, { timeout: 10_000 }).toBeGreaterThan(1);
  hung.resolve('up');
});

test('kill interrupts the action in progress', async () => {
  const { part, actions } = recorded();
  const starting = Promise.withResolvers<void>();
  const act: Breakable['act'] = async (action) => {
    actions.push(action);
    if (action === 'pause') return starting.promise;
    starting.reject(new Error('echo has exited'));
  };
  await using trouble = startTrouble([{ ...part, act }], () => {});
  const apply = (action: 'kill' | 'pause') => trouble.apply({ part: 'service:echo', action, forMs: 60_000 });
  const interrupted = apply('pause').catch(({ message }) => message);
  await expect.poll(() => actions).toEqual(['pause']);
  await apply('kill');
  expect(await interrupted).toBe('echo has exited');
  expect(actions).toEqual(['pause', 'kill']);
  expect(trouble.parts).toMatchObject([{ problem: null, undoAtMs: expect.any(Number) }]);
});

test('the circuit breakers of a part that is down are not those of its last report', async () => {
  const { part } = recorded();
  const breakers = () => ({ inventory: 'open' }) as const;
  await using trouble = startTrouble([{ ...part, breakers }], () => {});
  expect(trouble.parts).toMatchObject([{ breakers: { inventory: 'open' } }]);
  await trouble.apply({ part: 'service:echo', action: 'kill', forMs: null });
  expect(trouble.parts[0]?.breakers).toEqual({});
});

test('a line that is cut, delayed or black-holed affects the calls over it, until it is undone', async () => {
  await using server = await startTestServer(EchoService, {
    getEcho: async ({ key }) => ({ echo: { key } }),
  });
  await using proxy = await startFaultProxy({ target: server.target });
  using client = createClient(EchoService, { target: proxy.target, token: () => 'token' });
  await using trouble = startTrouble([linePart('front', 'back', proxy)], () => {});
  const part = 'line:front-back';
  const echo = (deadlineMs = 30_000) => client.getEcho({ key: 'A' }, { deadlineMs });
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
