import { expect, test } from 'vitest';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { answeringAs, startReplica } from '../../testing/replicas/start-replica.ts';
import { createClient } from '../create-client.ts';
import { channelTarget } from './name-targets.ts';

test.each(['dns:///inventory:50052', 'dns:inventory:50052', 'inventory:50052'])(
  'the name in %s is looked up again and again',
  (target) => {
    expect(channelTarget(target)).toBe('repeated-dns:///inventory:50052');
  },
);

test.each([
  'dns://10.0.0.2/inventory:50052',
  '127.0.0.1:50052',
  '[::1]:50052',
  'dns:///[::1]:50052',
  'ipv4:127.0.0.1:50052,127.0.0.2:50052',
  'unix:/run/inventory.sock',
  'unix:run/inventory:50052',
  'consul:///inventory:50052',
  'inventory',
])('%s is left to grpc-js', (target) => {
  expect(channelTarget(target)).toBe(target);
});

test('a name in the hosts file is called', async () => {
  await using a = await startReplica(answeringAs('a'));
  for (const scheme of ['', 'dns:///']) {
    using client = createClient(EchoService, { target: `${scheme}localhost:${a.port}` });
    const { echo } = await client.getEcho({ key: 'A' }, { deadlineMs: 10_000 });
    expect(echo?.text).toBe('a');
  }
});
