// <change>
import { randomUUID } from 'node:crypto';
import { SparePart_State } from '@acme/gen/depot/v1/spare_part_pb';
import { Code } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { rejectionOf } from '@acme/rpc/testing';
import { describe, expect } from 'vitest';
import { mayChange, type SparePartState } from './spare-part-state.ts';
import { test } from './testing/depot-test.ts';

/** The methods that change a spare part, and the state that each sets. */
const changes = [
  // <each-change>
  ['retireSparePart', 'RETIRED'],
  // </each-change>
] as const satisfies readonly (readonly [string, SparePartState])[];

describe.for(changes)('%s', ([method, state]) => {
  test('sets the state, and a repeated call returns the spare part unchanged', async ({
    app,
    client,
    subject,
  }) => {
    const { id } = await app.addSparePart({ ownerId: subject, title: 'blue' });
    const { sparePart } = await client[method]({ id });
    expect(sparePart).toMatchObject({ id, title: 'blue', state: SparePart_State[state] });
    expect((await client[method]({ id, etag: 'an old one' })).sparePart).toEqual(sparePart);
  });

  test('an etag of another version is ABORTED, and the etag that was read is accepted', async ({
    app,
    client,
    subject,
  }) => {
    const { id, version } = await app.addSparePart({ ownerId: subject, title: 'blue' });
    const rejection = await rejectionOf(client[method]({ id, etag: 'another' }));
    expect(rejection.code).toBe(Code.ABORTED);
    expect(rejection.findDetail(ErrorInfoSchema)).toMatchObject({ reason: 'ETAG_MISMATCH' });
    const { sparePart } = await client[method]({ id, etag: String(version) });
    expect(sparePart?.etag).toBe(String(version + 1n));
  });

  test('another owner’s spare part and an unknown one are NOT_FOUND', async ({ app, client }) => {
    const { id } = await app.addSparePart({ ownerId: 'another owner', title: 'blue' });
    for (const other of [id, randomUUID()])
      expect((await rejectionOf(client[method]({ id: other }))).code).toBe(Code.NOT_FOUND);
  });

  test('a state that does not allow it is FAILED_PRECONDITION', async ({ app, client, subject }) => {
    for (const [before, from] of changes.filter(([, from]) => from !== state && !mayChange(from, state))) {
      const { id } = await app.addSparePart({ ownerId: subject, title: 'blue' });
      await client[before]({ id });
      const rejection = await rejectionOf(client[method]({ id }));
      expect(rejection.code).toBe(Code.FAILED_PRECONDITION);
      expect(rejection.findDetail(ErrorInfoSchema)).toMatchObject({
        reason: 'STATE_NOT_ALLOWED',
        metadata: { state: from },
      });
    }
  });

  test('twenty concurrent calls change it once', async ({ app, client, subject }) => {
    const { id, version } = await app.addSparePart({ ownerId: subject, title: 'blue' });
    const changed = await Promise.all(Array.from({ length: 20 }, () => client[method]({ id })));
    expect(new Set(changed.map(({ sparePart }) => sparePart?.etag))).toEqual(new Set([String(version + 1n)]));
  });
});
// </change>
