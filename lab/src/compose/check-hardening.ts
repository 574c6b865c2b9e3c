import { join } from 'node:path';
import { channelCredentials, checkHealth } from '@acme/rpc/client';
import { createLogger } from '@acme/rpc/logging';
import type { Checklist } from './checklist.ts';
import { docker, run } from './docker.ts';
import type { Stack } from './stack.ts';

/** Prints a container's user and capabilities, and whether it can write to a folder that a read-only root protects. */
const script = `
  echo "uid $(id -u)"
  grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/1/status | tr '\\t' ' '
  if touch /var/tmp/new 2>/dev/null; then echo 'writes'; fi`;
const expectedOutput = (uid: number) =>
  ['CapBnd: 0000000000000000', 'CapEff: 0000000000000000', 'NoNewPrivs: 1', `uid ${uid}`].join(', ');

/** Checks the containers, the databases and the ports against docs/containers.md. */
export async function checkHardening(stack: Stack, { check }: Checklist, folder: string): Promise<void> {
  for (const [service, uid] of [
    ['orders', 1000],
    ['inventory', 1000],
    ['postgres', 999],
  ] as const)
    for (const [index, id] of (await stack.containersOf(service)).entries())
      await check(`${service} ${index + 1}: no root, no capabilities, a read-only root`, async () => {
        const found = (await docker('exec', id, 'sh', '-c', script)).split('\n').sort().join(', ');
        const good = found === expectedOutput(uid);
        return { good, found: good ? `uid ${uid}` : found };
      });

  const [postgres = ''] = await stack.containersOf('postgres');
  for (const [role, database, isOwn] of [
    ['orders', 'orders', true],
    ['orders', 'inventory', false],
    ['inventory', 'inventory', true],
    ['inventory', 'orders', false],
  ] as const)
    await check(
      `the role ${role} ${isOwn ? 'reaches' : 'does not reach'} the database ${database}`,
      async () => {
        const command = `PGPASSWORD=$(cat /secrets/${role}) psql --host=127.0.0.1 --username=${role} --dbname=${database} --tuples-only --command='SELECT current_database()'`;
        const { code, output } = await run('docker', ['exec', postgres, 'sh', '-c', command]);
        const good = isOwn ? code === 0 : output.includes('permission denied for database');
        return { good, found: isOwn && good ? '' : (output.trim().split('\n').at(-1)?.trim() ?? '') };
      },
    );

  const [secrets = ''] = await stack.containersOf('secrets');
  await docker('cp', `${secrets}:/secrets/operator/certs`, folder);
  const file = (name: string) => join(folder, 'certs', name);
  const files = { certFile: file('client.crt'), keyFile: file('client.key'), caFile: file('ca.crt') };
  const options = { developmentCertificates: true, log: createLogger({ service: 'test', level: 'silent' }) };
  const [orders = ''] = await stack.containersOf('orders');
  const target = await docker('port', orders, '50051/tcp');
  for (const [client, credentials, isServed] of [
    ['its certificate', await channelCredentials({ mode: 'mtls', ...files }, options), true],
    ['TLS but no certificate', await channelCredentials({ mode: 'tls', ...files }, options), false],
    ['plain text', undefined, false],
  ] as const)
    await check(`a client with ${client} is ${isServed ? 'served' : 'rejected'}`, async () => ({
      good: (await checkHealth(target, { credentials })) === isServed,
      found: '',
    }));

  // Production accepts no page of every origin, which is reported before the keys.
  const production = ['--no-deps', '-e', 'NODE_ENV=production', '-e', 'WEB_ORIGINS=https://app.example.com'];
  for (const [rejected, settings, complaint] of [
    ['a database without TLS', [], 'DATABASE_URL is not valid (it leads to another machine'],
    ['development keys', ['-e', 'ALLOW_PLAINTEXT_DATABASE=true'], 'which production does not accept'],
  ] as const)
    await check(`with their own settings the images reject ${rejected}`, async () => {
      const { code, output } = await stack.runOnce([...production, ...settings, 'orders']);
      const found = output.split('\n').find((line) => line.includes(complaint)) ?? output;
      return { good: code === 1 && found !== output, found: found.trim() };
    });
}
