import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RunningService } from '@acme/dev/services';
import { expect, test, vi } from 'vitest';
import { servicePart } from './service-part.ts';

test('Stop leaves the signal to the supervision, which sends it once; Kill does not wait for it', async () => {
  const process = spawn('sleep', ['60']);
  const kill = vi.spyOn(process, 'kill');
  const exited = once(process, 'exit');
  const stop = vi.fn(async () => void (await exited));
  const service: RunningService = {
    ...{ name: 'echo', target: '127.0.0.1:1', logFile: 'echo.log', state: 'serving' },
    ...{ process, stop },
  };
  const part = servicePart({ service, restart: async () => {}, breakers: () => ({}) });
  const stopped = part.act('stop', { delayMs: 0 });
  expect(stop).toHaveBeenCalledOnce();
  expect(kill).not.toHaveBeenCalled();
  await part.act('kill', { delayMs: 0 });
  await stopped;
  expect(kill.mock.calls).toEqual([['SIGKILL']]);
});
