import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { policies, services } from '../repository/load-services.ts';
import { root } from '../repository/paths.ts';
import { callEdits } from './call-edits.ts';
import { calledService } from './called-service.ts';
import { planService } from './plan-service.ts';

const called = services[0] ?? expect.unreachable();
const calls = calledService(called.name, services, policies);
const plan = planService('specimens', { rpcs: [], calls });

test.each(Object.entries(callEdits(calls)))(
  'the new caller is added to %s, and the callers before it stay',
  (file, edit) => {
    const before = readFileSync(join(root, file), 'utf8');
    const edited = () => edit(before, { plan, ports: { port: 1, metricsPort: 2 }, rendered: new Map() });
    const after = edited();
    expect(after).toContain(file.includes('networkpolicy') ? 'name: specimens' : '/specimens=');
    for (const caller of before.match(/spiffe:\S+=[^'"\n;]*|matchLabels: .*/g) ?? [])
      expect(after).toContain(caller.trimEnd());
    const added = after.split('\n').filter((line) => !before.split('\n').includes(line));
    expect(added.every((line) => /specimens|from:|podSelector|ports:|port: grpc/.test(line))).toBe(true);
  },
);

test('the scopes of the calls are those of all methods of the called service', () => {
  expect(calls.scopes.length).toBeGreaterThan(0);
  expect(new Set(calls.scopes).size).toBe(calls.scopes.length);
});

test.each([
  ['none', '--calls none: there is no such service. The services are: '],
  [`${called.name},orders`, 'name one service'],
])('--calls %s is rejected', (name, problem) => {
  expect(() => calledService(name, services, policies)).toThrow(problem);
});
