// <no-resource>
import { FrontDeskService } from '@acme/gen/depot/v1/front_desk_service_pb';
import { policyOf } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import { callWithEmpty, rejectionOf } from '@acme/rpc/testing';
import { describe, expect } from 'vitest';
import { scopes, test } from './testing/depot-test.ts';

const methods = FrontDeskService.methods.map((method) => [method.name, method] as const);

describe.for(methods.filter(([, method]) => policyOf(method).scopes.length > 0))('%s', ([, method]) => {
  test('a call needs a token with the method’s scopes', async ({ app, subject }) => {
    // Authorization comes before validation, so empty messages are enough.
    const codeFor = async (granted?: readonly string[]) => {
      const client = await app.clientFor(subject, granted);
      return (await rejectionOf(callWithEmpty(client, method))).code;
    };
    expect(await codeFor()).toBe(Code.UNAUTHENTICATED);
    for (const missing of policyOf(method).scopes)
      expect(await codeFor(['none:of:these', ...scopes.filter((scope) => scope !== missing)])).toBe(
        Code.PERMISSION_DENIED,
      );
  });
});

// Replace it by tests of what each method does.
test.for(methods)('%s is UNIMPLEMENTED, or rejects an empty message', async ([, method], { client }) => {
  const { code } = await rejectionOf(callWithEmpty(client, method));
  expect([Code.UNIMPLEMENTED, Code.INVALID_ARGUMENT]).toContain(code);
});
// </no-resource>
