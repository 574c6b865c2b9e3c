import { expect, test } from 'vitest';
import { createLogger } from './log.ts';

function linesOf(write: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  write(createLogger({ service: 'test', level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) }));
  return lines;
}

test('ensure what looks like a credential is not written, at the top and one level below', () => {
  const secrets = { authorization: 'canary', password: 'canary', token: 'canary' };
  const lines = linesOf((log) => log.info({ ...secrets, config: secrets }, 'started'));
  expect(lines).toMatchObject([{ msg: 'started', token: '[Redacted]', config: { password: '[Redacted]' } }]);
  expect(JSON.stringify(lines)).not.toContain('canary');
});

test('ensure a line below the level is not written, and one with a bigint is', () => {
  const lines = linesOf((log) => {
    log.debug('too little');
    log.info({ onHand: 5n }, 'counted');
  });
  expect(lines).toMatchObject([{ level: 'info', msg: 'counted' }]);
});
