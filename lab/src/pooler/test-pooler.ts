/** Runs the tests of the pool and of both services behind real PgBouncers. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCommandLine } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';

parseCommandLine({
  call: 'npm run test:pooler',
  summary:
    'Tests the pool and both services behind PgBouncer 1.18 and 1.24 in transaction mode, which it downloads from Debian.',
});

const config = fileURLToPath(new URL('pooled-tests.ts', import.meta.url));
const vitest = spawn(join(root, 'node_modules/.bin/vitest'), ['run', '--config', config], {
  stdio: 'inherit',
});
const [code] = await once(vitest, 'exit');
process.exit(code ?? 1);
