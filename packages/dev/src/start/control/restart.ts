import { parseCommandLine } from '../../cli/arguments/command-line.ts';
import { fail } from '../../cli/fail.ts';
import { dataOption } from '../../repository/data-option.ts';
import { requestRestart } from './control.ts';

const { values, positionals } = parseCommandLine({
  call: 'npx svc restart',
  summary: `Starts a service of npm start again, also after it has exited. The name postgres stands for PostgreSQL, which is
started if it has exited.`,
  positionals: ['NAME'],
  options: { data: dataOption },
});

try {
  const [name] = positionals;
  await requestRestart(values.data, name);
  process.stdout.write(`${name} is up\n`);
} catch (error) {
  fail(error);
}
