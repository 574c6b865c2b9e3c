import { grpcFrame } from '@acme/rpc/testing/network/raw-http2';
import type { Service } from '../../cluster/cluster.ts';
import type { Random } from '../../harness/seeded-random.ts';
import type { Attack, Strike } from '../attack/attack.ts';
import { inParallel, many } from '../attack/loops.ts';
import { frame, frameFlag, frameType, headerFrames, streamIdOf } from '../wire/frames.ts';
import { answerWithin, type Connection, connectGrpc } from '../wire/grpc-calls.ts';
import { requestFields } from '../wire/hpack.ts';
import { connectRaw } from '../wire/raw-connection.ts';
import { mutated, mutatedHeaders, validRequestsOf } from './mutations.ts';

const patienceMs = 3000;
const framesPerConnection = 10;
/** Texts of the inside of a replica, which no answer may hold. */
const inside = /node_modules|\.ts:|\bat \w+ \(|SELECT |INSERT |postgres|pg_|ECONN|TypeError|RangeError/;

/** Requests and frames that are nearly valid. */
export const mutatedFrames: readonly Attack[] = [
  {
    name: 'mutated-frames',
    sends: '60,000 mutated requests and frames',
    strike: (strike) => mutateAll(strike, 'orders', strike.isShort ? 6000 : 60_000),
  },
  {
    name: 'mutated-frames-inventory',
    sends: '40,000 mutated requests and frames',
    service: 'inventory',
    strike: (strike) => mutateAll(strike, 'inventory', strike.isShort ? 4000 : 40_000),
  },
];

/** Four in five are requests over a library's HTTP/2, the others frames whose bytes are changed, too. */
async function mutateAll(strike: Strike, service: Service, count: number): Promise<void> {
  const requests = validRequestsOf(service);
  const connections = many(8, () => connectGrpc(strike.port));
  const open = (index: number): Connection => {
    const slot = index % connections.length;
    const connection = connections[slot];
    if (connection && !connection.session.destroyed && !connection.session.closed) return connection;
    const next = connectGrpc(strike.port);
    connections[slot] = next;
    return next;
  };
  const random = strike.random.fork('requests');
  const codes: Record<string, number> = {};
  const sendRequest = async (index: number) => {
    const { path, body } = random.pick(requests);
    const options = {
      token: random.chance(0.7) ? strike.token : undefined,
      headers: mutatedHeaders(random, strike.canary),
      ends: random.chance(0.9),
    };
    const { token, headers } = options;
    const answering = open(index).call(path, mutatedBody(random, body), {
      ...options,
      token: 'authorization' in headers ? undefined : token,
    });
    const { code, message } = await answerWithin(answering, options.ends ? patienceMs : 50);
    const name = String(code ?? 'none');
    codes[name] = (codes[name] ?? 0) + 1;
    strike.expect(!inside.test(message), `an answer tells of the inside of the replica: ${message}`);
  };
  const frames = strike.random.fork('frames');
  await Promise.all([
    inParallel(Math.round(count * 0.8), 40, sendRequest),
    inParallel(Math.round((count * 0.2) / framesPerConnection), 4, () =>
      sendFrames(strike, frames, requests),
    ),
  ]);
  strike.note(
    `answered ${Object.entries(codes)
      .map(([code, times]) => `${code}: ${times}`)
      .join(', ')}`,
  );
}

/** Most bodies keep a right length in front, so that the message is decoded. */
function mutatedBody(random: Random, body: Buffer): Buffer {
  return random.chance(0.8) ? grpcFrame(mutated(random, body.subarray(5))) : mutated(random, body);
}

async function sendFrames(
  { port, token }: Strike,
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
