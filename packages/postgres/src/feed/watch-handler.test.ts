import { Code } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import {
  EchoService,
  encryptionKeys,
  rejectionOf,
  startTestServer,
  WatchEchoesResponseSchema,
} from '@acme/rpc/testing';
import { createResumeTokens } from '@acme/rpc/tokens';
import { expect, test } from 'vitest';
import { openFeedDatabase } from '../testing/feed-database.ts';
import { createWatchHandler } from './watch-handler.ts';

/** WatchEchoes over a feed of things: an echo's key is the thing's key, its text the version. */
async function startWatchServer({ heartbeatMs }: { heartbeatMs?: number } = {}) {
  await using started = new AsyncDisposableStack();
  const database = started.use(await openFeedDatabase());
  const feed = started.use(database.openFeed({ ...(heartbeatMs && { heartbeatMs }) }));
  const handleWatch = createWatchHandler({
    feed,
    tokens: createResumeTokens(encryptionKeys(Buffer.alloc(32)), 'WatchEchoes'),
    response: WatchEchoesResponseSchema,
    toResponse: (thing, resumeToken) => ({
      resumeToken,
      ...(thing && { echo: { key: thing.key, text: String(thing.version) } }),
    }),
  });
  let watches = 0;
  let sent = 0;
  const server = started.use(
    await startTestServer(EchoService, {
      watchEchoes: async function* ({ resumeToken }, context) {
        watches++;
        try {
          for await (const response of handleWatch({ keys: undefined, filters: [], resumeToken }, context)) {
            sent++;
            yield response;
          }
        } finally {
          watches--;
        }
      },
    }),
  );
  const kept = started.move();
  return {
    ...server,
    /** Makes `count` changes of `sizeBytes` each. Resolves when they have been delivered to all watchers. */
    change: async (count: number, sizeBytes: number) => {
      const { signal } = new AbortController();
      const witness = feed.watch(
        { keys: undefined, after: undefined, caller: 'witness', signal },
        (thing) => thing?.version,
      );
      await witness.next();
      const last = (async () => {
        for (;;) if ((await witness.next()).value === BigInt(count)) return;
      })();
      await database.pool.query(
        `INSERT INTO thing_events (key, version, event_time)
         SELECT repeat('A', $2), n, now() FROM generate_series(1, $1::int) n`,
        [count, sizeBytes],
      );
      feed.notify();
      await last;
      await witness.return();
    },
    /** Number of open watches. */
    watches: () => watches,
    /** Number of responses that the watches have sent, or are sending. */
    sent: () => sent,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

test('a watch sends a response at once, and then heartbeats', async () => {
  await using server = await startWatchServer({ heartbeatMs: 20 });
  const watch = server.client.watchEchoes({});
  for (let beat = 0; beat < 3; beat++) {
    const { value } = await watch.next();
    expect(value?.echo).toBeUndefined();
    expect(value?.resumeToken).not.toBe('');
  }
  await watch.return();
});

test('leaving the loop ends the server’s watch within 100 ms', async () => {
  await using server = await startWatchServer();
  for await (const _ of server.client.watchEchoes({})) {
    expect(server.watches()).toBe(1);
    break;
  }
  await expect.poll(server.watches, { timeout: 100, interval: 5 }).toBe(0);
});

test('a watcher that does not read costs at most its buffer, and can resume without a loss', async () => {
  await using server = await startWatchServer();
  const sizeBytes = 10_000;
  const count = 300;
  const slow = server.client.watchEchoes({});
  await slow.next();
  await server.change(count, sizeBytes);
  // All but the first, which has no event.
  const sent = server.sent() - 1;
  // The connection and the client buffer 64 KiB and 16 messages, and about as much is in transit.
  expect(sent).toBeLessThan(count / 4);

  const seen: (string | undefined)[] = [];
  const tooSlow = await rejectionOf(
    (async () => {
      for await (const { echo } of slow) seen.push(echo?.text);
    })(),
  );
  expect(tooSlow.code).toBe(Code.RESOURCE_EXHAUSTED);
  expect(seen).toEqual(Array.from({ length: sent }, (_, index) => String(index + 1)));
  const info = tooSlow.findDetail(ErrorInfoSchema);
  expect(info?.reason).toBe('WATCH_TOO_SLOW');
  const resumed = server.client.watchEchoes({ resumeToken: info?.metadata.resume_token ?? '' });
  await resumed.next();
  expect((await resumed.next()).value?.echo?.text).toBe(String(sent + 1));
  await resumed.return();
});
