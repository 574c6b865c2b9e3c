import { parseCommandLine } from '../cli/command-line.ts';
import { fail } from '../cli/fail.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { services } from '../repository/services.ts';
import { requireRunningServices } from './running-services.ts';

const { values } = parseCommandLine({
  usage: 'usage: npx svc seed [--data FOLDER]',
  options: { data: { type: 'string', default: defaultDataFolder } },
});

try {
  const running = await requireRunningServices(values.data);
  for (const { seed } of services) if (seed) process.stdout.write(`${await seed(running)}\n`);
  process.exit();
} catch (error) {
  fail(error);
}
