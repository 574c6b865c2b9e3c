import { parseCommandLine } from '../cli/command-line.ts';
import { fail } from '../cli/fail.ts';
import { services } from '../repository/load-services.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { requireRunningServices } from './running-services.ts';
import { seedServices } from './seed-services.ts';

const { values } = parseCommandLine({
  usage: 'usage: npx svc seed [--data FOLDER]',
  options: { data: { type: 'string', default: defaultDataFolder } },
});

try {
  const running = await requireRunningServices(values.data);
  await seedServices(services, running, (data) => process.stdout.write(`${data}\n`));
  process.exit();
} catch (error) {
  fail(error);
}
