import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository';
import { expect, test } from 'vitest';
import { conformanceFile } from './conformance-document.ts';
import { knownFailures } from './known-failures.ts';
import { readReport } from './suite/run-suite.ts';

test('the page has every known failure with its reason', () => {
  const page = readFileSync(join(root, conformanceFile), 'utf8');
  for (const { cases, reason } of knownFailures) {
    expect(page).toContain(`\`${cases}\``);
    expect(page).toContain(reason);
  }
});

const report = [
  'FAILED: A/b (grpc)/c:',
  '\texpecting an error',
  '\t',
  '\tsecond reason',
  'FAILED: A/d was expected to fail but did not',
  'INFO: A/e failed (as expected):',
  '\tbecause',
  '',
  'Total cases: 9',
  '5 passed, 2 failed',
].join('\n');

test('a report is read with its failures, expected or not', () => {
  const result = readReport(
    `${report}\n(Another 1 failed as expected due to being known failures/flakes.)\n`,
  );
  expect(result).toMatchObject({ passed: 5, expected: 1 });
  expect(result.unexpected).toEqual([
    'A/b (grpc)/c:\n\texpecting an error\n\t\n\tsecond reason',
    'A/d was expected to fail but did not',
  ]);
});

test('cases that could not be run are a failure', () => {
  expect(readReport(`${report}\nAnother 4 could not be run due to client timing out\n`).unexpected).toContain(
    '4 cases could not be run',
  );
});

test('a report without its summary is an error', () => {
  expect(() => readReport('bind: address in use')).toThrow('address in use');
});
