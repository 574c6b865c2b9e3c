import { parseArgs } from 'node:util';
import { fail } from '../cli/fail.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { services } from '../repository/services.ts';
import { findRunningServices } from './running-services.ts';

try {
  const { values } = parseArgs({ options: { data: { type: 'string', default: defaultDataFolder } } });
  const running =
    (await findRunningServices(values.data)) ??
    fail(`no service answers that is announced in ${values.data}`);
  for (const { seed } of services) if (seed) process.stdout.write(`${await seed(running)}\n`);
  process.exit();
} catch (error) {
  fail(error);
}
