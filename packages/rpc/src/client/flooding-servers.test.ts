import { describe, expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { callsOfEachKind } from '../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../testing/crashes.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { dataFrame, headersFrame, startFrameServer } from '../testing/network/raw-frames.ts';
import { grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { createClient } from './create-client.ts';

const head = headersFrame({ ':status': '200', 'content-type': 'application/grpc' });
const times = (count: number, frame: Buffer) => Array<Buffer>(count).fill(frame);

describe.each(callsOfEachKind)('a %s call', (_kind, call) => {
  test.each([
    [
      'a message in frames of one byte',
      [head, dataFrame(Buffer.of(0, 0, 16, 0, 0)), ...times(2000, dataFrame(Buffer.of(1)))],
      Code.RESOURCE_EXHAUSTED,
      'a response message comes in too many small frames',
    ],
    [
      'informational headers without end',
      times(200, headersFrame({ ':status': '103' })),
      Code.INTERNAL,
      'the response has too many informational headers',
    ],
  ])('whose server sends %s ends with its connection', async (_name, frames, code, message) => {
    using crashes = recordCrashes();
    await using server = await startFrameServer(...frames);
    using client = createClient(EchoService, { target: server.target });
    const ended = await rejectionOf(call(client, { deadlineMs: 60_000 }));
    expect(ended).toMatchObject({ code, message });
    await server.closed;
    expect(crashes.reasons).toEqual([]);
  });
});

test('a stream may have thousands of small messages, a frame each, after some informational headers', async () => {
  await using server = await startFrameServer(
    ...times(3, headersFrame({ ':status': '103' })),
    head,
    ...times(3000, dataFrame(grpcFrame(Buffer.of()))),
    headersFrame({ 'grpc-status': '0' }, { isLast: true }),
  );
  using client = createClient(EchoService, { target: server.target });
  expect(await Array.fromAsync(client.watchEchoes({}))).toHaveLength(3000);
});
