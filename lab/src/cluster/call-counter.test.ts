import { once } from 'node:events';
import { connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { startCallCounter } from './call-counter.ts';

test('each call is counted once, however much data it sends', async () => {
  const server = createServer((request, response) => request.pipe(response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await using counter = await startCallCounter({ host: '127.0.0.1', port });
  const client = connect(`http://127.0.0.1:${counter.port}`);
  const call = async (body: string) => {
    const stream = client.request({ ':method': 'POST', ':path': '/' });
    stream.setEncoding('utf8').end(body);
    return (await stream.toArray()).join('');
  };
  const bodies = ['', 'x', 'y'.repeat(100_000)];
  expect(await Promise.all(bodies.map(call))).toEqual(bodies);
  expect(counter.calls).toBe(bodies.length);
  client.close();
  await once(client, 'close');
  await server[Symbol.asyncDispose]();
});
