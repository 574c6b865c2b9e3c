import { expect, test } from 'vitest';
import type { services } from '../../repository/load-services.ts';
import { streamProblems } from './stream-rules.ts';

const descriptor = {
  typeName: 'depot.v1.DepotService',
  methods: [
    { name: 'GetWidget', methodKind: 'unary' },
    { name: 'ImportWidgets', methodKind: 'client_streaming' },
  ],
} as unknown as (typeof services)[number]['descriptor'];

const problemsOf = (pattern: string) =>
  streamProblems(
    [{ descriptor }],
    [{ place: 'slo.yml', query: `rate(calls{rpc_method!~"${pattern}"}[5m])` }],
  );

test('a query that excludes every stream and no other method has no problems', () => {
  expect(problemsOf('.*/(Watch.*|Import.*)')).toEqual([]);
});

test.each([
  ['.*/Watch.*', 'does not exclude the stream depot.v1.DepotService/ImportWidgets: add its name'],
  ['.*Widgets?', 'excludes depot.v1.DepotService/GetWidget, which is no stream'],
])('an objective that counts a stream, or ignores a method, is a problem: %s', (pattern, problem) => {
  expect(problemsOf(pattern)).toEqual([`slo.yml: rpc_method!~"${pattern}" ${problem}`]);
});
