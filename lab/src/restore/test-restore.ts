import { join } from 'node:path';
import { parseCommandLine } from '@acme/dev/cli';
import { reportSetUpFailure } from '../harness/report-set-up-failure.ts';
import { runSteps } from '../harness/run-steps.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { withTimeout } from '../harness/with-timeout.ts';
import { type Service, startRestorablePair } from './restorable-pair.ts';
import { drillRestore } from './restore-drill.ts';

parseCommandLine({
  call: 'npm run test:restore',
  summary:
    'Restores the databases of orders and inventory from backups of different moments, and reconciles them, under load.',
});

/** Customers repeat their calls until they are answered, however long that takes. */
const drillTimeoutMs = 240_000;

reportSetUpFailure('restore', 'npm run test:restore');
{
  await using folder = await openTemporaryFolder('restore-');
  /** Drills with a pair of its own. */
  const drill = async (older: Service) => {
    await using pair = await startRestorablePair(join(folder.path, `${older}-first`));
    const lines = await withTimeout(drillTimeoutMs, 'the end of the drill', drillRestore(pair, older));
    for (const line of lines) process.stdout.write(`     ${line}\n`);
  };
  await runSteps('restore', {
    'orders is restored to an older moment than inventory': () => drill('orders'),
    'inventory is restored to an older moment than orders': () => drill('inventory'),
  });
}
// A socket that is still open must not keep the process.
process.exit();
