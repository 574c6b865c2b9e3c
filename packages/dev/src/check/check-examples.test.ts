import { Health } from '@acme/rpc/gen/grpc/health/v1/health_pb';
import { ServerReflection } from '@acme/rpc/gen/grpc/reflection/v1/reflection_pb';
import { expect, test } from 'vitest';
import { checkExamples } from './check-examples.ts';

const problemOf = (method: string, request: object) =>
  checkExamples([{ name: 'depot', descriptor: Health, examples: [{ method, request }] }]);

test('an example of a request that the method has is no problem', () => {
  expect(problemOf('Check', { service: 'depot' })).toBe(undefined);
});

test('an example of a further service of the same server is no problem', () => {
  const method = 'ServerReflectionInfo';
  const entry = { name: 'depot', descriptor: Health, otherDescriptors: [ServerReflection] };
  const problemWith = (request: object) => checkExamples([{ ...entry, examples: [{ method, request }] }]);
  expect(problemWith({ listServices: '' })).toBe(undefined);
  expect(problemWith({ title: 'first' })).toMatch(
    /example ServerReflectionInfo of depot: .*"title" is unknown/,
  );
});

test.each([
  ['Check', { title: 'first' }, /^services\.ts: the example Check of depot: .*"title" is unknown/],
  ['Ask', {}, /^services\.ts: the example Ask of depot: grpc\.health\.v1\.Health has no such method$/],
])('an example of %s with %j is a problem', (method, request, problem) => {
  expect(problemOf(method, request)).toMatch(problem);
});

test('the examples of this repository decode', () => {
  expect(checkExamples()).toBe(undefined);
});
