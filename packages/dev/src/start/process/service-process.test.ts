import { spawn } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { stopProcess } from './service-process.ts';

test('a process that is stopped by a restart and by Ctrl-C gets one SIGTERM, and is resumed each time', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const kill = vi.spyOn(child, 'kill');
  await Promise.all([stopProcess(child), stopProcess(child)]);
  expect(kill.mock.calls.flat()).toEqual(['SIGTERM', 'SIGCONT', 'SIGCONT']);
  expect(child.signalCode).toBe('SIGTERM');
  await stopProcess(child);
  expect(kill).toHaveBeenCalledTimes(3);
});
