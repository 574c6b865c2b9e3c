import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail } from '../cli/fail.ts';
import { runCommand } from '../cli/run-command.ts';
import { root } from '../repository/paths.ts';
import { services } from '../repository/services.ts';
import { settingsFile } from '../settings/settings-document.ts';
import { extendLists } from './lists.ts';
import { requireFreeNames } from './names-in-use.ts';
import { planService } from './plan.ts';
import { renderTemplate } from './render.ts';
import { complete } from './stage.ts';
import { writeService } from './write.ts';

const usage = 'usage: npm run new:service -- payments [--rpc Charge,GetCharge,ListCharges]';

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rpc: { type: 'string' } },
  });
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) fail(usage);
  const plan = planService(name, values.rpc?.split(',').filter(Boolean) ?? []);
  requireFreeNames(root, plan);
  const ports = {
    port: Math.max(50050, ...services.map(({ port }) => port)) + 1,
    metricsPort: Math.max(9463, ...services.map(({ metricsPort }) => metricsPort)) + 1,
  };
  const rendered = renderTemplate(join(root, 'packages/dev/template'), plan, ports);
  const { extended, absent } = extendLists(root, { plan, ports, rendered });
  const files = complete(root, plan.service, new Map([...rendered, ...extended]));
  writeService(root, plan.service, files, () =>
    runCommand(root, process.execPath, join(root, 'packages/dev/src/svc.ts'), 'generate'),
  );
  const written = [...files.keys()].map((path) => `  ${extended.has(path) ? 'changed' : 'new    '}  ${path}`);
  written.push(
    `  changed  ${settingsFile}`,
    ...absent.map((path) => `  absent   ${path}: nothing to add to`),
  );
  process.stdout.write(`${written.join('\n')}\n\n${nextSteps()}`);

  function nextSteps(): string {
    const { service, stem, thing } = plan;
    const unserved = plan.rpcs.filter(({ served }) => !served).map((rpc) => rpc.name);
    const handlers = `services/${service}/src/${stem.toLowerCase()}-service.ts`;
    return `${service} is on port ${ports.port}. Next:

  npm run check && npx vitest run services/${service}
  npm start, and in a second terminal one of the calls that it prints
  make ${thing} what it is: proto/${service}/v1/${thing.toLowerCase()}.proto, npm run generate, then follow the compiler
${unserved.length > 0 ? `  write the handlers of ${unserved.join(', ')} in ${handlers}: they answer UNIMPLEMENTED\n` : ''}`;
  }
} catch (error) {
  fail(error);
}
