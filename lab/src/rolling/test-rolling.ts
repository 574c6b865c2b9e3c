import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, parseCommandLine, text } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { fillCompileCache } from '../cluster/compile-cache.ts';
import { runSteps } from '../harness/run-steps.ts';
import { makeTemporaryFolder } from '../harness/temporary-folder.ts';
import { findPreviousRelease, type PreviousRelease } from './previous-release.ts';
import { openReleasedCode } from './released-code.ts';
import { rollingDeploy } from './rolling-deploy.ts';

const { values } = parseCommandLine({
  call: 'npm run test:rolling',
  summary: 'Runs old and new code on the old and the new schema of each service, as a rolling deploy does.',
  options: {
    base: text(
      'REF',
      'commit of the old code. Default: the newest one that lacks the last migration of the service',
    ),
  },
});

const services = ['inventory', 'orders'] as const;
const newMain = (service: string) => import.meta.resolve(`@acme/${service}/main`);

try {
  await runDeploys();
  process.exit();
} catch (error) {
  fail(error);
}

async function runDeploys(): Promise<void> {
  const releases = services.map((service) => ({
    service,
    release: findPreviousRelease(root, service, values.base),
  }));
  const folder = await makeTemporaryFolder('rolling-');
  await using opened = new AsyncDisposableStack();
  const compileCache = join(folder, 'compiled');
  const steps: Record<string, () => Promise<void>> = {};
  for (const { service, release } of releases) {
    say(`${service}: ${describe(release)}`);
    if (release.migrations.length === 0) continue;
    await fillCompileCache(fileURLToPath(newMain(service)), compileCache);
    const oldCode =
      'commit' in release.code ? opened.use(await openReleasedCode(release.code.commit)) : undefined;
    const deploy = { service, release, oldCode, newMain, compileCache, folder: join(folder, service) };
    Object.assign(steps, rollingDeploy(deploy, opened));
  }
  await runSteps('rolling', steps);
  await opened.disposeAsync();
  if (process.exitCode === 1) say(`logs and databases: ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}

function describe({ migrations, code }: PreviousRelease): string {
  if ('commit' in code) return `the old code is ${code.commit}, whose last migration is ${migrations.at(-1)}`;
  return `${code.missing}, so there is no old code to run`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
