// <resource>
import { randomUUID } from 'node:crypto';
import { FrontDeskService } from '@acme/gen/depot/v1/front_desk_service_pb';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { policyOf } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import { callWithEmpty, rejectionOf } from '@acme/rpc/testing';
import { describe, expect } from 'vitest';
import { scopes, test } from './testing/depot-test.ts';

describe.for(FrontDeskService.methods.map((method) => [method.name, method] as const))('%s', ([, method]) => {
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
// <create>

describe('creating', () => {
  test('a repeated request returns the same spare part', async ({ client, subject }) => {
    const request = { requestId: randomUUID(), title: 'blue' };
    const { sparePart } = await client.createSparePart(request);
    expect(sparePart).toMatchObject({ ownerId: subject, title: 'blue' });
    // UUIDs are case-insensitive (RFC 9562, section 4).
    const again = await client.createSparePart({ ...request, requestId: request.requestId.toUpperCase() });
    expect(again.sparePart).toMatchObject({ id: sparePart?.id, title: 'blue' });
  });

  test('a request_id that is reused for other content is rejected with its reason', async ({ client }) => {
    const request = { requestId: randomUUID(), title: 'blue' };
    const { sparePart } = await client.createSparePart(request);
    const rejection = await rejectionOf(client.createSparePart({ ...request, title: 'red' }));
    expect(rejection.code).toBe(Code.FAILED_PRECONDITION);
    expect(rejection.findDetail(ErrorInfoSchema)).toMatchObject({
      domain: 'depot.v1',
      reason: 'REQUEST_ID_REUSED',
      metadata: { spare_part_id: sparePart?.id },
    });
  });

  test.for([
    ['no request_id', { requestId: '' }],
    ['a request_id that is no UUID', { requestId: 'one' }],
    ['no title', { title: '' }],
    ['a title that is too long', { title: 'x'.repeat(201) }],
    ['a control character', { title: 'a\u0000b' }],
  ] as const)('%s is INVALID_ARGUMENT', async ([, wrong], { client }) => {
    const request = { requestId: randomUUID(), title: 'blue', ...wrong };
    expect((await rejectionOf(client.createSparePart(request))).code).toBe(Code.INVALID_ARGUMENT);
  });
});
// </create>
// <get>

describe('reading', () => {
  test('a spare part is returned to its owner, and to a caller with the scope for all owners', async ({
    app,
    client,
    subject,
  }) => {
    const { id } = await app.addSparePart({ ownerId: subject, title: 'blue' });
    expect((await client.getSparePart({ id })).sparePart).toMatchObject({
      id,
      ownerId: subject,
      title: 'blue',
    });
    const auditor = await app.clientFor('auditor', ['depot:read', 'depot:read:any']);
    expect((await auditor.getSparePart({ id })).sparePart).toMatchObject({ id, ownerId: subject });
  });

  test('another owner’s spare part and an unknown spare part give the same error', async ({
    app,
    client,
  }) => {
    const { id } = await app.addSparePart({ ownerId: 'another owner', title: 'blue' });
    for (const wanted of [id, randomUUID()]) {
      const rejection = await rejectionOf(client.getSparePart({ id: wanted }));
      expect(rejection).toMatchObject({ code: Code.NOT_FOUND, message: `there is no spare part ${wanted}` });
      expect(rejection.findDetail(ErrorInfoSchema)).toMatchObject({
        reason: 'SPARE_PART_NOT_FOUND',
        metadata: {},
      });
    }
  });
});
// </get>
// <list>

describe('listing', () => {
  test('the pages contain all spare parts of the caller and no others, newest first', async ({
    app,
    client,
    subject,
  }) => {
    const titles = ['first', 'second', 'third'];
    for (const ownerId of [subject, `not-${subject}`])
      for (const title of titles) await app.addSparePart({ ownerId, title });
    const first = await client.listSpareParts({ pageSize: 2 });
    const second = await client.listSpareParts({ pageSize: 2, pageToken: first.nextPageToken });
    expect(second.nextPageToken).toBe('');
    const listed = [...first.spareParts, ...second.spareParts];
    expect(listed.map(({ title }) => title)).toEqual(titles.toReversed());
    for (const each of listed) expect(each.ownerId).toBe(subject);
  });

  test('another owner’s spare parts need the scope for all owners, and page tokens are valid for one owner', async ({
    app,
    client,
    subject,
  }) => {
    for (const title of ['first', 'second']) await app.addSparePart({ ownerId: subject, title });
    const stranger = await app.clientFor('stranger', ['depot:read']);
    const rejection = await rejectionOf(stranger.listSpareParts({ ownerId: subject }));
    expect(rejection.code).toBe(Code.PERMISSION_DENIED);
    const auditor = await app.clientFor('auditor', ['depot:read', 'depot:read:any']);
    const page = await auditor.listSpareParts({ ownerId: subject, pageSize: 1 });
    expect(page.spareParts).toHaveLength(1);
    const forged = await rejectionOf(auditor.listSpareParts({ pageToken: page.nextPageToken }));
    expect(forged.code).toBe(Code.INVALID_ARGUMENT);
    const negative = await rejectionOf(client.listSpareParts({ pageSize: -1 }));
    expect(negative.code).toBe(Code.INVALID_ARGUMENT);
  });
});
// </list>
// <each-create|each-other>

test('OtherRpc is UNIMPLEMENTED', async ({ client }) => {
  expect((await rejectionOf(client.otherRpc({ requestId: randomUUID() }))).code).toBe(Code.UNIMPLEMENTED);
});
// </each-create|each-other>
// <each-get>

test('OtherRpc is UNIMPLEMENTED', async ({ client }) => {
  expect((await rejectionOf(client.otherRpc({ id: randomUUID() }))).code).toBe(Code.UNIMPLEMENTED);
});
// </each-get>
// <each-list>

test('OtherRpc is UNIMPLEMENTED', async ({ client }) => {
  expect((await rejectionOf(client.otherRpc({}))).code).toBe(Code.UNIMPLEMENTED);
});
// </each-list>
// <each-server|each-client|each-bidi>

test('OtherRpc is UNIMPLEMENTED', async ({ client }) => {
  const { code } = await rejectionOf(callWithEmpty(client, FrontDeskService.method.otherRpc));
  expect(code).toBe(Code.UNIMPLEMENTED);
});
// </each-server|each-client|each-bidi>
// </resource>
