import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { logProcessWarnings } from './process-warnings.ts';

test('a process warning is one line with its name and without its text', async () => {
  const before = process.listeners('warning');
  onTestFinished(() => {
    process.removeAllListeners('warning');
    for (const each of before) process.on('warning', each);
  });
  const { log, lines } = collectLog();
  logProcessWarnings(log);
  process.emitWarning('11 listeners for canary', { type: 'MaxListenersExceededWarning', code: 'W1' });
  await once(process, 'warning');
  expect(process.listenerCount('warning')).toBe(1);
  expect(lines).toMatchObject([{ level: 'warn', warning: 'MaxListenersExceededWarning', code: 'W1' }]);
  expect(JSON.stringify(lines)).not.toContain('canary');
});
