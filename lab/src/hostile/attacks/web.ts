import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { inParallel, many } from '../attack/loops.ts';
import { frame, frameFlag, frameType, headerFrames } from '../wire/frames.ts';
import { requestFields } from '../wire/hpack.ts';
import { callFromElsewhere, requestHead, sendHttp1 } from '../wire/http1.ts';
import { connectRaw, type RawConnection } from '../wire/raw-connection.ts';
import { connections } from './connections.ts';
import { headerLists } from './header-lists.ts';

const placeOrder = methodPath(OrderService.method.placeOrder);
const listOrders = methodPath(OrderService.method.listOrders);
const messageBytes = 1024 * 1024;
const maxBytes = 1_000_000;
/** More than the port admits from one address. */
const idleConnections = 4500;
const slowConnections = 300;
const oneByteChunks = 60_000;
const tickMs = 250;
const holdMs = 2000;

/** Attacks on the port for browsers: HTTP/1.1, and the HTTP/2 of the gRPC port. */
export const web: readonly Attack[] = [
  {
    name: 'web-slow',
    sends:
      'the web port: 4,500 connections that send nothing or half a request line, 900 that send headers or a body byte by byte, and 300 with 4,000 headers and no end',
    run: sendSlowly,
  },
  {
    name: 'web-bodies',
    sends:
      'the web port: PlaceOrder of 330,000 empty lines and 1,000,000 brackets in JSON, gzip that inflates to 1 GiB, 300 bodies less a byte',
    run: sendBodies,
  },
  {
    name: 'web-unread',
    sends: 'the web port: 100 connections with 1,000 pipelined requests each, and 300 that read no answer',
    run: leaveUnread,
  },
  {
    name: 'web-one-byte-chunks',
    sends:
      'the web port: 400 bodies of 60,000 chunks of one byte, over HTTP/1.1 and HTTP/2, with and without a token',
    run: sendOneByteChunks,
  },
  {
    name: 'web-http2',
    sends: 'the web port: header-lists, header-lists-unread, header-endless, slow-headers and frame-floods',
    run: async (context) => {
      const names = ['header-lists', 'header-lists-unread', 'header-endless', 'slow-headers', 'frame-floods'];
      for (const name of names) {
        const attack = [...headerLists, ...connections].find((each) => each.name === name);
        if (!attack) throw new Error(`there is no attack ${name}`);
        await attack.run({ ...context, port: context.webPort, note: () => {} });
      }
      await expectServed(context);
    },
  },
];

/** The token of the attacker works from another address, for which the port has room. */
async function expectServed({ webPort, token, expect }: AttackContext): Promise<void> {
  const { status } = await callFromElsewhere(webPort, listOrders, token, '{"pageSize": 1}').catch(
    (error: Error) => ({
      status: error.message,
    }),
  );
  expect(status === 200, `a call on the web port from another address was answered ${status}`);
}

async function sendSlowly(context: AttackContext): Promise<void> {
  const { webPort, token, isShort } = context;
  const announced = { path: placeOrder, contentLength: messageBytes };
  const head = requestHead({ ...announced, token });
  const slowly = await Promise.all(
    many(slowConnections, async () => [
      { connection: await sendHttp1(webPort, head.slice(0, 20)), rest: head.slice(20) },
      { connection: await sendHttp1(webPort, head), rest: '['.repeat(1000) },
      { connection: await sendHttp1(webPort, requestHead(announced)), rest: '['.repeat(1000) },
    ]),
  );
  const shortHeaders = head.slice(0, -2) + 'a:\r\n'.repeat(4000);
  await Promise.all(many(slowConnections, () => sendHttp1(webPort, shortHeaders)));
  await inParallel(idleConnections, 20, async (index) => {
    await sendHttp1(webPort, index % 2 === 0 ? '' : 'POST /orders');
    // The kernel would reject a burst beyond the backlog of the listening socket.
    await sleep(5);
  });
  await expectServed(context);
  for (let tick = 0; tick < (isShort ? 12 : 60); tick++) {
    for (const { connection, rest } of slowly.flat())
      if (!connection.isClosed) await connection.write(Buffer.from(rest[tick] ?? '['));
    await sleep(tickMs);
  }
  await expectServed(context);
}

async function sendBodies(context: AttackContext): Promise<void> {
  const { webPort, token, isShort } = context;
  const line = '{},';
  const bodies = [
    `{"lines":[${line.repeat(Math.floor(maxBytes / line.length))}{}]}`,
    '['.repeat(maxBytes),
    `{"requestId":"${'\\u0000'.repeat(maxBytes / 6)}"}`,
    `{"${'x'.repeat(maxBytes)}":1}`,
  ];
  const bomb = gzipSync(Buffer.alloc(isShort ? 2 ** 28 : 2 ** 30, '['));
  const send = (body: string | Buffer, encoding?: string) =>
    sendHttp1(
      webPort,
      Buffer.concat([
        Buffer.from(
          requestHead({
            path: placeOrder,
            token,
            contentLength: Buffer.byteLength(body),
            ...(encoding && { encoding }),
          }),
        ),
        Buffer.from(body),
      ]),
    );
  for (let round = 0; round < (isShort ? 3 : 10); round++) {
    await Promise.all(bodies.map((body) => send(body)));
    await Promise.all(many(10, () => send(bomb, 'gzip')));
    await expectServed(context);
  }
  const unfinished = Buffer.concat([
    Buffer.from(requestHead({ path: placeOrder, token, contentLength: messageBytes })),
    Buffer.alloc(messageBytes - 1, 'u'),
  ]);
  await Promise.all(many(slowConnections, () => sendHttp1(webPort, unfinished)));
  await sleep(holdMs);
  await expectServed(context);
}

async function leaveUnread(context: AttackContext): Promise<void> {
  const { webPort, token, isShort } = context;
  const body = '{"pageSize": 100}';
  const request = requestHead({ path: listOrders, token, contentLength: body.length }) + body;
  const pipelined = request.repeat(isShort ? 300 : 1000);
  await Promise.all(many(100, () => sendHttp1(webPort, pipelined)));
  const unread: RawConnection[] = await Promise.all(
    many(slowConnections, () => sendHttp1(webPort, request, { reads: false })),
  );
  for (let round = 0; round < (isShort ? 5 : 20); round++) {
    for (const connection of unread) if (!connection.isClosed) await connection.write(Buffer.from(request));
    await sleep(tickMs);
  }
  await expectServed(context);
}

async function sendOneByteChunks(context: AttackContext): Promise<void> {
  const { webPort, token } = context;
  const chunks = '1\r\n[\r\n'.repeat(oneByteChunks);
  const byte = frame(frameType.data, frameFlag.none, 1, Buffer.from('['));
  const frames = Buffer.concat(many(oneByteChunks, () => byte));
  for (const each of [token, undefined]) {
    const http1 = Buffer.from(requestHead({ path: placeOrder, token: each }) + chunks);
    const fields = requestFields(placeOrder, {
      'content-type': 'application/json',
      ...(each && { authorization: `Bearer ${each}` }),
    });
    const http2 = Buffer.concat([headerFrames(1, fields), frames]);
    await Promise.all(many(100, () => sendHttp1(webPort, http1)));
    await Promise.all(many(100, async () => (await connectRaw(webPort)).write(http2)));
    await sleep(holdMs);
    await expectServed(context);
  }
}
