import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { flag, list, text } from '../cli/arguments/option.ts';
import { fail } from '../cli/fail.ts';
import { reject } from '../cli/reject.ts';
import { runCommand } from '../cli/run-command.ts';
import { generatedFiles } from '../generate/generated-files.ts';
import { policies, services } from '../repository/load-services.ts';
import { root } from '../repository/paths.ts';
import { svcProgram } from '../repository/project.ts';
import { calledService } from './called-service.ts';
import { editServiceFiles } from './edit-service-files.ts';
import { wordForms } from './names/word-forms.ts';
import { planContract } from './plan-contract.ts';
import { planService, type ServicePlan } from './plan-service.ts';
import { renderTemplate } from './render-template.ts';
import { requireFreeNames } from './require-free-names.ts';
import { stageFiles } from './stage-files.ts';
import { writeService } from './write-service.ts';

const {
  values,
  positionals: [name],
} = parseCommandLine({
  call: 'npm run new:service',
  summary: `Writes a service that works. It is named by NAME, and creates, gets and lists the resource of this name, or has the
methods of --rpc. Or it is that of a contract that exists, which --proto names.`,
  positionals: ['[NAME]'],
  options: {
    rpc: list(
      'METHOD,METHOD',
      'verbs such as Authorize create the resource, others such as Capture change its state; METHOD:server, METHOD:client and METHOD:bidi are streams',
      '',
    ),
    calls: text('SERVICE', 'a service of this repository that it calls'),
    watch: flag('adds a method that streams the changes of the resource'),
    settle: flag('a new resource is PENDING until a worker, which survives crashes, has done its work'),
    proto: text(
      'FILE',
      'a contract that exists, such as payments/v1/payment_service.proto; the service has a handler to write for each method',
    ),
  },
});
const { rpc: rpcs, watch, settle, proto } = values;
if (name === undefined && proto === undefined) reject('NAME is missing, or --proto FILE');
if (proto !== undefined && (name !== undefined || rpcs.length > 0 || watch || settle))
  reject(
    '--proto takes the name and the methods from the contract: NAME, --rpc, --watch and --settle are for a new one',
  );

try {
  const calls = values.calls === undefined ? undefined : calledService(values.calls, services, policies);
  const plan =
    proto === undefined
      ? planService(name ?? '', { rpcs, calls, watch, settle })
      : planContract(root, proto, { calls, policies });
  requireFreeNames(root, plan);
  const ports = {
    port: Math.max(50050, ...services.map(({ port }) => port)) + 1,
    webPort: Math.max(8050, ...services.map(({ webPort = 0 }) => webPort)) + 1,
    metricsPort: Math.max(9463, ...services.map(({ metricsPort }) => metricsPort)) + 1,
  };
  const rendered = renderTemplate(plan, ports);
  const { files: unstaged, absent } = editServiceFiles(root, { plan, ports, rendered });
  const files = stageFiles(root, plan.service, unstaged);
  // In a process of its own, because this one may have imported services.ts as it was.
  const run = () => void runCommand(root, process.execPath, svcProgram, 'generate');
  const generator = { run, files: () => generatedFiles(root) };
  const { added, changed } = writeService(root, plan.service, files, generator);
  const lines = [
    ...added.map((path) => `  new      ${path}`),
    ...changed.map((path) => `  changed  ${path}`),
    ...absent.map((path) => `  skipped  ${path}: not in this repository`),
  ];
  process.stdout.write(`${lines.join('\n')}\n\n${nextSteps(plan, ports.port)}`);
} catch (error) {
  fail(error);
}

function nextSteps({ service, stem, resource, rpcs, contract }: ServicePlan, port: number): string {
  const unhandled = rpcs.filter(({ served }) => !served).map((rpc) => rpc.name);
  const handlers = `services/${service}/src/${wordForms(stem).kebab}-service.ts`;
  const fields = contract
    ? ''
    : `  give ${resource} its fields: proto/${service}/v1/${wordForms(resource).snake}.proto, npm run generate, then follow the compiler\n`;
  return `${service} is on port ${port}. Next:

  npm run check && npx vitest run services/${service}
  npm start, and in a second terminal one of the calls that it prints
${fields}${unhandled.length > 0 ? `  write the handlers of ${unhandled.join(', ')} in ${handlers}: they return UNIMPLEMENTED\n` : ''}`;
}
