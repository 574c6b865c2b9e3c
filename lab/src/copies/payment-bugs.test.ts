import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository';
import { expect, test } from 'vitest';
import { paymentBugs } from './payment-bugs.ts';

test('docs/add-a-step.md lists every planted bug', () => {
  const guide = readFileSync(join(root, 'docs/add-a-step.md'), 'utf8');
  for (const { what } of paymentBugs) expect(guide).toContain(`| ${what} |`);
});

test('each bug is caught by a test of the example', () => {
  const example = readFileSync(join(root, 'docs/examples/add-a-step.patch'), 'utf8');
  for (const { caughtBy } of paymentBugs) expect(example).toContain(caughtBy);
});
