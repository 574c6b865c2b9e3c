import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { flag } from '../cli/arguments/option.ts';
import { fail } from '../cli/fail.ts';
import { writeAtomically } from '../cli/write-atomically.ts';
import { announceServices } from '../repository/announcement.ts';
import { services as entries } from '../repository/load-services.ts';
import { makeDevelopmentCertificates } from './development-certificates.ts';
import { openDevelopmentKeys } from './development-keys.ts';
import { secretsKustomization } from './secrets-kustomization.ts';

/**
 * Makes the secrets of a deployment, in a folder for each part, which only that part mounts:
 *
 * - `operator`: the authority, the key that signs tokens, a client's certificate. Its holder can act as any caller.
 * - one with each service's name: its certificate and key, the authorities and token keys to trust, the database's URL if
 *   it has a database
 * - `postgres`: the passwords of the services' roles
 *
 * Passwords and signing keys are made once. The certificates are new each time, and running services reload them.
 *
 * With `--kustomize`, also writes the kustomization that stores them in Kubernetes, one Secret for each pod that mounts
 * them.
 */
const {
  values,
  positionals: [folder],
} = parseCommandLine({
  call: 'npx svc secrets',
  summary:
    'Makes passwords, keys and certificates of every service, in a folder for each part of a deployment.',
  positionals: ['FOLDER'],
  options: { kustomize: flag('writes the kustomization that stores them in Kubernetes') },
});
const services = entries.map(({ name }) => name);
const withDatabase = entries.filter(({ hasDatabase = true }) => hasDatabase).map(({ name }) => name);

try {
  const operator = join(folder, 'operator');
  const certificates = join(operator, 'certs');
  await makeDevelopmentCertificates({
    folder: certificates,
    names: [...services, 'client'],
    now: new Date(),
  });
  const { jwksFile } = await openDevelopmentKeys(operator);
  for (const each of ['postgres', ...services]) await mkdir(join(folder, each), { recursive: true });
  for (const service of services) {
    const own = (name: string) => join(folder, service, name);
    await copyWhole(join(certificates, 'ca.crt'), own('ca.crt'), 0o444);
    await copyWhole(join(certificates, `${service}.key`), own('tls.key'), 0o400);
    await copyWhole(join(certificates, `${service}.crt`), own('tls.crt'), 0o444);
    await copyWhole(jwksFile, own('jwks.json'), 0o444);
    await writeAtomically(own('environment'), await environmentOf(service), 0o400);
  }
  await announceServices(operator, {
    targets: Object.fromEntries(entries.map(({ name, port }) => [name, `dns:///${name}:${port}`])),
    tls: { certFile: 'certs/client.crt', keyFile: 'certs/client.key', caFile: 'certs/ca.crt' },
  });
  if (values.kustomize)
    await writeAtomically(
      join(folder, 'kustomization.yaml'),
      secretsKustomization(services, withDatabase),
      0o444,
    );
  process.stdout.write(`secrets of ${services.join(' and ')} are in ${folder}\n`);
} catch (error) {
  fail(error);
}

/** Returns the variables that a service reads from a file. A service without a database has none. */
async function environmentOf(service: string): Promise<string> {
  if (!withDatabase.includes(service)) return '';
  const password = await passwordIn(join(folder, 'postgres', service));
  return `DATABASE_URL=postgres://${service}:${password}@postgres:5432/${service}\n`;
}

async function copyWhole(from: string, to: string, mode: number): Promise<void> {
  await writeAtomically(to, await readFile(from, 'utf8'), mode);
}

/** Returns the password in a file, and makes it if there is none. PostgreSQL reads the file through its group. */
async function passwordIn(file: string): Promise<string> {
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known) return known;
  const password = randomBytes(32).toString('base64url');
  await writeAtomically(file, password, 0o440);
  return password;
}
