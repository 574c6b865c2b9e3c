#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { takeCommandName } from './cli/arguments/take-command-name.ts';
import { isTemplate, root } from './repository/paths.ts';

// Compiling the modules takes half of the time of a command, and of the start of a service. npm ci removes the folder.
const modules = join(root, 'node_modules');
if (existsSync(modules)) process.env.NODE_COMPILE_CACHE ??= join(modules, '.cache/compiled');
enableCompileCache(process.env.NODE_COMPILE_CACHE);

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
  restart: { summary: 'starts a service again', run: () => import('./start/control/restart.ts') },
  call: { summary: 'makes one call', run: () => import('./call/call.ts') },
  watch: { summary: 'prints a line for each change', run: () => import('./watch/watch.ts') },
  token: { summary: 'signs a development token', run: () => import('./credentials/token.ts') },
  certs: { summary: 'makes development certificates', run: () => import('./credentials/certs.ts') },
  secrets: { summary: 'makes the secrets of a deployment', run: () => import('./credentials/secrets.ts') },
  bundle: {
    summary: 'writes the programs of a service for its image',
    run: () => import('./bundle/bundle.ts'),
  },
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

const given = process.argv[2] ?? '';
try {
  if (!isTemplate && Object.hasOwn(allCommands, given) && allCommands[given]?.needsTemplate)
    throw new Error(`svc ${given} works in a copy of the template only`);
  const summaries = Object.fromEntries(commands.map(([name, { summary }]) => [name, summary]));
  await allCommands[takeCommandName('npx svc', summaries)]?.run();
} catch (error) {
  // Loaded only now: the library of calls takes longer to load than the list of commands to print.
  const { fail } = await import('./cli/fail.ts');
  fail(error);
}
