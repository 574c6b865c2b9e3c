import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { policies, services } from '../repository/load-services.ts';
import { root } from '../repository/paths.ts';
import { callEdits } from './call-edits.ts';
import { calledService } from './called-service.ts';
import { planService } from './plan-service.ts';

// A repository without services has none to call.
const calls = services.slice(0, 1).map(({ name }) => calledService(name, services, policies));
const plan = planService('xspecimens', { rpcs: [], calls: calls[0] });

test.each(calls.flatMap((called) => Object.entries(callEdits(called))))(
  'the new caller is added to %s, and the callers before it stay',
  (file, edit) => {
    const before = readFileSync(join(root, file), 'utf8');
    const edited = () =>
      edit(before, { plan, ports: { port: 1, webPort: 3, metricsPort: 2 }, rendered: new Map() });
    const after = edited();
    expect(after).toContain(file.includes('networkpolicy') ? 'name: xspecimens' : '/xspecimens=');
    for (const caller of before.match(/spiffe:\S+=[^'"\n;\]]*|matchLabels: .*/g) ?? [])
      expect(after).toContain(caller.trimEnd());
    const added = after.split('\n').filter((line) => !before.split('\n').includes(line));
    expect(added.every((line) => /xspecimens|from:|podSelector|ports:|port: grpc/.test(line))).toBe(true);
  },
);

test.each(calls)('the scopes of calls to $name are those of its methods, each once', ({ scopes }) => {
  expect(scopes.length).toBeGreaterThan(0);
  expect(new Set(scopes).size).toBe(scopes.length);
});

test.each([
  ['none', '--calls: there is no service none: the services are '],
  ['one,two', 'name one service'],
])('--calls %s is rejected', (name, problem) => {
  expect(() => calledService(name, services, policies)).toThrow(problem);
});
