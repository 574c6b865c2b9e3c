#!/usr/bin/env node
/** The commands, and the module of each. A module runs when it is imported, and reads the arguments that follow. */
const commands: Readonly<Record<string, { readonly what: string; run(): Promise<unknown> }>> = {
  start: { what: 'starts PostgreSQL and every service', run: () => import('./start/start.ts') },
  call: { what: 'makes one call', run: () => import('./call/call.ts') },
  watch: { what: 'prints a line for each change', run: () => import('./watch/watch.ts') },
  token: { what: 'signs a development token', run: () => import('./certs/token.ts') },
  certs: { what: 'makes development certificates', run: () => import('./certs/certs.ts') },
  secrets: { what: 'makes the secrets of a deployment', run: () => import('./secrets/make-secrets.ts') },
  seed: { what: 'fills services that are running', run: () => import('./start/seed.ts') },
  generate: { what: 'generates code from the contract', run: () => import('./generate/generate.ts') },
  check: { what: 'runs every check that CI runs', run: () => import('./check/check.ts') },
  new: { what: 'writes a new service', run: () => import('./new/new-service.ts') },
  adopt: { what: 'makes this repository your own', run: () => import('./adopt/adopt.ts') },
};

const [name = ''] = process.argv.splice(2, 1);
const command = commands[name];
if (command) await command.run();
else {
  const rows = Object.entries(commands).map(([each, { what }]) => `  ${each.padEnd(9)} ${what}`);
  process.stderr.write(`usage: svc COMMAND …\n${rows.join('\n')}\n`);
  process.exitCode = 1;
}
