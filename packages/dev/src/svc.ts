#!/usr/bin/env node
import { fail } from './cli/fail.ts';
import { isTemplate } from './repository/paths.ts';

interface Command {
  readonly summary: string;
  /** Whether it works on the contract and the deployment of the template. */
  readonly needsTemplate?: true;
  run(): Promise<unknown>;
}

const needsTemplate = true;

/** The commands by name. The module of a command runs when it is imported, and reads the arguments that follow. */
const allCommands: Readonly<Record<string, Command>> = {
  start: { summary: 'starts PostgreSQL and every service', run: () => import('./start/start.ts') },
  call: { summary: 'makes one call', run: () => import('./call/call.ts') },
  watch: { summary: 'prints a line for each change', run: () => import('./watch/watch.ts') },
  token: { summary: 'signs a development token', run: () => import('./credentials/token.ts') },
  certs: { summary: 'makes development certificates', run: () => import('./credentials/certs.ts') },
  secrets: { summary: 'makes the secrets of a deployment', run: () => import('./credentials/secrets.ts') },
  seed: { summary: 'fills services that are running', run: () => import('./start/seed.ts') },
  generate: {
    summary: 'generates code, settings and alerts',
    needsTemplate,
    run: () => import('./generate/generate.ts'),
  },
  check: {
    summary: 'runs the checks of CI, or those of the contract',
    run: () => import('./check/check.ts'),
  },
  new: { summary: 'writes a new service', needsTemplate, run: () => import('./new/new-service.ts') },
};

/** The commands that work here. */
const commands = Object.entries(allCommands).filter(([, each]) => isTemplate || !each.needsTemplate);

const [name = '--help'] = process.argv.splice(2, 1);
const command = Object.hasOwn(allCommands, name) ? allCommands[name] : undefined;
if (command?.needsTemplate && !isTemplate) fail(`svc ${name} works in a copy of the template only`);
else if (command) await command.run().catch(fail);
else {
  const rows = commands.map(([each, { summary }]) => `  ${each.padEnd(9)} ${summary}\n`);
  const usage = `usage: svc COMMAND [ARGUMENTS]\n\n${rows.join('')}\nsvc COMMAND --help prints the usage of a command.\n`;
  if (['--help', '-h', 'help'].includes(name)) process.stdout.write(usage);
  else {
    process.stderr.write(`svc: unknown command ${name}\n${usage}`);
    process.exitCode = 1;
  }
}
