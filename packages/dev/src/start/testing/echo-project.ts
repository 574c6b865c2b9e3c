import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../repository/paths.ts';
import { svcProgram } from '../../repository/project.ts';

/** A service without a database. Its first log line has its environment. */
const main = `
import { readEnvironment } from '@acme/rpc/config';
import { createLogger } from '@acme/rpc/logging';
import { readServerConfig, runUntilSignal, serve, startService } from '@acme/rpc/server';
import { EchoService } from '@acme/rpc/testing';

console.log(JSON.stringify(process.env));
await runUntilSignal(async () => {
  const environment = readEnvironment(process.env);
  const config = readServerConfig(environment, '0.0.0.0:1');
  const methods = EchoService.methods.map(({ localName }) => [localName, async () => ({})]);
  const service = await startService({
    config,
    log: createLogger({ service: 'echo', level: 'silent' }),
    services: [serve(EchoService, Object.fromEntries(methods))],
    errorMap: () => undefined,
    checkReadiness: async () => {},
  });
  return { closeTimeoutMs: service.closeTimeoutMs, close: () => service.drain() };
});
`;

/** Two services: front calls back. */
const services = `
import { EchoService } from '@acme/rpc/testing';

const entry = { descriptor: EchoService, port: 0, metricsPort: 0, hasDatabase: false, examples: [] };
export const services = [
  { ...entry, name: 'back', calls: {} },
  { ...entry, name: 'front', calls: { back: ['back:read'] } },
];
`;

/** A project with two small services, front and back, for tests of `svc start`. */
export interface EchoProject extends AsyncDisposable {
  readonly folder: string;
  readonly dataFolder: string;
  /** Returns the URL of the main.ts of a service. */
  mainFile(service: string): string;
  /** Starts a command of svc in the project. Disposing the project kills it. */
  svc(...args: string[]): SvcCommand;
  /** Returns the environments of the processes of a service so far. */
  environments(service: string): Promise<Record<string, string>[]>;
}

export interface SvcCommand {
  readonly child: ChildProcess;
  /** Returns the text on stdout and stderr so far. */
  output(): string;
  readonly closed: Promise<unknown>;
}

/** @param more Further exports of `services.ts`. */
export async function makeEchoProject(more = ''): Promise<EchoProject> {
  const folder = await mkdtemp(join(tmpdir(), 'svc start é#% '));
  const dataFolder = join(folder, '.data');
  const mainFile = (service: string) => join(folder, 'services', service, 'src/main.ts');
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'echo', type: 'module' }));
  await writeFile(join(folder, 'services.ts'), services + more);
  for (const service of ['back', 'front']) {
    await mkdir(join(folder, 'services', service, 'src'), { recursive: true });
    await writeFile(mainFile(service), main);
  }
  await using commands = new AsyncDisposableStack();
  commands.defer(() => rm(folder, { recursive: true }));
  const kept = commands.move();
  return {
    folder,
    dataFolder,
    mainFile,
    svc: (...args) => {
      const command = startCommand(folder, args);
      kept.defer(async () => {
        command.child.kill('SIGINT');
        await command.closed;
      });
      return command;
    },
    environments: async (service) => {
      const log = await readFile(join(dataFolder, 'logs', `${service}.log`), 'utf8');
      return log
        .split('\n')
        .filter((line) => line.startsWith('{"'))
        .map((line) => JSON.parse(line));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function startCommand(cwd: string, args: readonly string[]): SvcCommand {
  const child = spawn(process.execPath, [svcProgram, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return { child, output: () => output, closed: once(child, 'close') };
}
