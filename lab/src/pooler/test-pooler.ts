/** Runs the tests of the pool and of both services behind real PgBouncers. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCommandLine } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { reportSetUpFailure } from '../harness/report-set-up-failure.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { installPgbouncer, poolerKinds } from './pgbouncer.ts';

parseCommandLine({
  call: 'npm run test:pooler',
  summary:
    'Tests the pool and both services behind PgBouncer 1.18 and 1.24 in transaction mode, which it downloads from Debian.',
});

reportSetUpFailure('pooler', 'npm run test:pooler');
// A download may take longer than a test, and the workers must not download the same files at once.
for (const { debian } of poolerKinds) installPgbouncer(debian);
await using folder = await openTemporaryFolder('test-pooler-');
const resultsFile = join(folder.path, 'results.json');
const config = fileURLToPath(new URL('pooled-tests.ts', import.meta.url));
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${resultsFile}`];
const vitest = spawn(join(root, 'node_modules/.bin/vitest'), ['run', '--config', config, ...reporters], {
  stdio: 'inherit',
});
const [code] = await once(vitest, 'exit');
const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(await readFile(resultsFile, 'utf8'));
process.stdout.write(`pooler: ${passed} passed, ${failed} failed\n`);
process.exitCode = code ?? 1;
