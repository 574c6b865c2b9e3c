import { grpcFrame } from '@acme/rpc/testing';
import type { Service } from '../../cluster/cluster.ts';
import type { Random } from '../../harness/seeded-random.ts';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { inParallel, many } from '../attack/loops.ts';
import { frame, frameFlag, frameType, headerFrames, streamIdOf } from '../wire/frames.ts';
import { answerWithin, type Connection, connectGrpc } from '../wire/grpc-calls.ts';
import { requestFields } from '../wire/hpack.ts';
import { connectRaw } from '../wire/raw-connection.ts';
import { mutated, mutatedHeaders, validRequestsOf } from './mutations.ts';

const callTimeoutMs = 3000;
const framesPerConnection = 10;
/** Internals of a replica, which no status message may contain. */
const internals = /node_modules|\.ts:|\bat \w+ \(|SELECT |INSERT |postgres|pg_|ECONN|TypeError|RangeError/;

/** Requests and frames that are nearly valid. */
export const mutatedFrames: readonly Attack[] = [
  {
    name: 'mutated-frames',
    sends: '60,000 mutated requests and frames',
    run: (context) => mutateAll(context, 'orders', context.isShort ? 6000 : 60_000),
  },
  {
    name: 'mutated-frames-inventory',
    sends: '40,000 mutated requests and frames',
    service: 'inventory',
    run: (context) => mutateAll(context, 'inventory', context.isShort ? 4000 : 40_000),
  },
];

/** Sends four in five as requests over a valid HTTP/2 connection, and the others as mutated frames. */
async function mutateAll(context: AttackContext, service: Service, count: number): Promise<void> {
  const requests = validRequestsOf(service);
  const connections = many(8, () => connectGrpc(context.port));
  const open = (index: number): Connection => {
    const slot = index % connections.length;
    const connection = connections[slot];
    if (connection && !connection.session.destroyed && !connection.session.closed) return connection;
    const next = connectGrpc(context.port);
    connections[slot] = next;
    return next;
  };
  const random = context.random.fork('requests');
  const codes: Record<string, number> = {};
  const sendRequest = async (index: number) => {
    const { path, body } = random.pick(requests);
    const options = {
      token: random.chance(0.7) ? context.token : undefined,
      headers: mutatedHeaders(random, context.canary),
      ends: random.chance(0.9),
    };
    const { token, headers } = options;
    const answering = open(index).call(path, mutatedBody(random, body), {
      ...options,
      token: 'authorization' in headers ? undefined : token,
    });
    const { code, message } = await answerWithin(answering, options.ends ? callTimeoutMs : 50);
    const name = String(code ?? 'none');
    codes[name] = (codes[name] ?? 0) + 1;
    context.expect(!internals.test(message), `a status message contains internals: ${message}`);
  };
  const frames = context.random.fork('frames');
  await Promise.all([
    inParallel(Math.round(count * 0.8), 40, sendRequest),
    inParallel(Math.round((count * 0.2) / framesPerConnection), 4, () =>
      sendFrames(context, frames, requests),
    ),
  ]);
  context.note(
    `answered ${Object.entries(codes)
      .map(([code, times]) => `${code}: ${times}`)
      .join(', ')}`,
  );
}

/** Most bodies keep a correct length prefix, so that the message is decoded. */
function mutatedBody(random: Random, body: Buffer): Buffer {
  return random.chance(0.8) ? grpcFrame(mutated(random, body.subarray(5))) : mutated(random, body);
}

async function sendFrames(
  { port, token }: AttackContext,
  random: Random,
  requests: ReturnType<typeof validRequestsOf>,
): Promise<void> {
  using connection = await connectRaw(port);
  for (let index = 0; index < framesPerConnection && !connection.isClosed; index++) {
    const { path, body } = random.pick(requests);
    const fields = requestFields(path, { authorization: `Bearer ${token}` });
    const id = streamIdOf(index);
    const bytes = Buffer.concat([
      headerFrames(id, fields, { sizeBytes: random.pick([16_000, 300]) }),
      frame(frameType.data, frameFlag.endStream, id, body),
    ]);
    await connection.write(random.chance(0.8) ? mutated(random, bytes) : bytes);
    await new Promise(setImmediate);
  }
}
