import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Code, type RpcError } from '../../errors/rpc-error.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { changingAddresses } from '../../testing/replicas/changing-addresses.ts';
import { startRawServer } from '../../testing/replicas/start-raw-server.ts';
import { type Client, createClient } from '../create-client.ts';

const startAnswering = (code: () => Code) => startRawServer(() => ({ 'grpc-status': code() }));
const portOf = ({ target }: { target: string }) => Number(target.split(':')[1]);

/** Returns the status code of a call, by which the tests identify the replica that answered. */
async function ask(client: Client<typeof EchoService>): Promise<Code> {
  const error = await client.getEcho({ key: 'A' }, { deadlineMs: 5_000 }).catch((error: RpcError) => error);
  return 'code' in error ? error.code : Code.OK;
}

async function askUntil(client: Client<typeof EchoService>, isEnough: (code: Code) => boolean) {
  while (!isEnough(await ask(client)));
}

test('a slow or failing replica that reconnects is treated as a new one', async () => {
  let code = Code.INTERNAL;
  await using sound = await startAnswering(() => Code.ABORTED);
  await using mended = await startAnswering(() => code);
  const { target } = changingAddresses([portOf(sound), portOf(mended)]);
  using client = createClient(EchoService, { target, balancing: 'peak_ewma' });
  await askUntil(client, (each) => each === Code.INTERNAL);
  code = Code.NOT_FOUND;
  mended.sessions[0]?.close();
  await askUntil(client, () => mended.sessions.length === 2);
  // Its failure would otherwise count for about twelve seconds.
  const codes = new Set<Code>();
  for (let calls = 0; calls < 300; calls++) codes.add(await ask(client));
  expect(codes).toContain(Code.NOT_FOUND);
});

test('the connection to a replica that leaves the name is closed', async () => {
  await using gone = await startAnswering(() => Code.ABORTED);
  await using stays = await startAnswering(() => Code.NOT_FOUND);
  const name = changingAddresses([portOf(gone), portOf(stays)]);
  const client = createClient(EchoService, { target: name.target, balancing: 'peak_ewma' });
  await askUntil(client, () => gone.sessions.length === 1 && stays.sessions.length === 1);
  name.ports = [portOf(stays)];
  const { lookUps } = name;
  // Its loss makes the client resolve the name again.
  stays.sessions[0]?.close();
  await askUntil(client, () => name.lookUps > lookUps && stays.sessions.length === 2);
  const [session] = gone.sessions;
  if (!session) throw new Error('no connection');
  const closed = once(session, 'close');
  client[Symbol.dispose]();
  await closed;
});

test('a name without addresses is UNAVAILABLE', async () => {
  using client = createClient(EchoService, {
    target: changingAddresses([]).target,
    balancing: 'peak_ewma',
  });
  const error = await client.getEcho({ key: 'A' }).catch((error: RpcError) => error);
  expect(error).toMatchObject({ code: Code.UNAVAILABLE });
  expect(String(error)).toContain('peak_ewma: the name has no addresses');
});
