// <watch>
import { Code } from '@acme/rpc/errors';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { test } from './testing/depot-test.ts';

test('a watch sends every change of the caller’s spare parts, and resumes after the last one', async ({
  app,
  client,
  subject,
}) => {
  const watch = client.watchSpareParts({});
  // The first response confirms that the watch has started.
  expect((await watch.next()).value?.sparePart).toBeUndefined();
  await app.addSparePart({ ownerId: `not-${subject}`, title: 'red' });
  const first = await app.addSparePart({ ownerId: subject, title: 'first' });
  const { value: change } = await watch.next();
  expect(change).toMatchObject({ sparePart: { id: first.id, ownerId: subject, title: 'first' } });
  await watch.return(undefined);

  const seen = new Set<string>();
  const second = await app.addSparePart({ ownerId: subject, title: 'second' });
  for await (const { sparePart } of client.watchSpareParts({ resumeToken: change?.resumeToken ?? '' })) {
    if (sparePart) seen.add(sparePart.id);
    if (seen.has(second.id)) break;
  }
  expect(seen.has(second.id)).toBe(true);
});

test('another owner’s watch needs the scope for all owners, and resume tokens are valid for one owner', async ({
  app,
  client,
  subject,
}) => {
  const stranger = await app.clientFor('stranger', ['depot:read']);
  const denied = await rejectionOf(stranger.watchSpareParts({ ownerId: subject }).next());
  expect(denied.code).toBe(Code.PERMISSION_DENIED);
  const watch = client.watchSpareParts({});
  const { value: started } = await watch.next();
  await watch.return(undefined);
  const forged = await rejectionOf(
    stranger.watchSpareParts({ resumeToken: started?.resumeToken ?? '' }).next(),
  );
  expect(forged.code).toBe(Code.INVALID_ARGUMENT);
});
// </watch>
