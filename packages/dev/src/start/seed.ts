import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { fail } from '../cli/fail.ts';
import { dataOption } from '../repository/data-option.ts';
import { services } from '../repository/load-services.ts';
import { requireRunningServices } from './running-services.ts';
import { seedServices } from './seed-services.ts';

const { values } = parseCommandLine({
  call: 'npx svc seed',
  summary: 'Fills services that are running.',
  options: { data: dataOption },
});

try {
  const running = await requireRunningServices(values.data);
  await seedServices(services, running, (data) => process.stdout.write(`${data}\n`));
  process.exit();
} catch (error) {
  fail(error);
}
