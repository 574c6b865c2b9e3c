import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { frameFlag, headerFrames, streamIdOf } from './frames.ts';
import { indexedField, insertedField, newestDynamicIndex, requestFields } from './hpack.ts';
import { connectRaw } from './raw-connection.ts';

/** Sends each header block on its own stream. Returns the headers that a Node server receives. */
async function received(blocks: readonly Buffer[], sizeBytes?: number): Promise<IncomingHttpHeaders[]> {
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer();
  const all = Promise.withResolvers<void>();
  server.on('stream', (stream, each) => {
    stream.on('error', () => {});
    headers.push(each);
    if (headers.length === blocks.length) all.resolve();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  using connection = await connectRaw((server.address() as AddressInfo).port);
  for (const [index, block] of blocks.entries())
    await connection.write(headerFrames(streamIdOf(index), block, { flags: frameFlag.none, sizeBytes }));
  await all.promise;
  connection[Symbol.dispose]();
  server.close();
  return headers;
}

test('an inserted header is received once per reference', async () => {
  const value = 'v'.repeat(3900);
  const again = Array.from({ length: 15 }, () => indexedField(newestDynamicIndex));
  const [first, second] = await received([
    Buffer.concat([requestFields('/a/b'), insertedField('x-large', value)]),
    Buffer.concat([requestFields('/a/c'), ...again]),
  ]);
  expect(first?.[':path']).toBe('/a/b');
  expect(second?.['x-large']).toBe(Array.from({ length: 15 }, () => value).join(', '));
});

test('a header block split into CONTINUATION frames is received whole', async () => {
  const [headers] = await received([requestFields('/a/b', { 'x-long': 'l'.repeat(300) })], 100);
  expect(headers?.['x-long']).toBe('l'.repeat(300));
});
