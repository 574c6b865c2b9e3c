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

console.log(JSON.stringify({ ...process.env, TEST_PID: process.pid }));
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
  /** The program of both services. */
  readonly main: string;
  /** Writes the program of a service. */
  writeMain(service: string, text: string): Promise<void>;
  /** Starts a command of svc in the project. Disposing the project kills it. */
  svc(...args: string[]): SvcCommand;
  /** Returns the environments of the processes of a service so far. */
  environments(service: string): Promise<Record<string, string>[]>;
}

export interface SvcCommand {
  readonly child: ChildProcess;
  /** Returns the text on stdout and stderr so far. */
  output(): string;
  /** Resolves when the output contains a text. Rejects if the command ends without it. */
  printed(text: string | RegExp): Promise<void>;
  readonly closed: Promise<unknown>;
}

/** @param more Further exports of `services.ts`. */
export async function makeEchoProject(more = ''): Promise<EchoProject> {
  const folder = await mkdtemp(join(tmpdir(), 'svc start é#% '));
  const dataFolder = join(folder, '.data');
  const writeMain = async (service: string, text: string) => {
    const sources = join(folder, 'services', service, 'src');
    await mkdir(sources, { recursive: true });
    await writeFile(join(sources, 'main.ts'), text);
  };
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'echo', type: 'module' }));
  await writeFile(join(folder, 'services.ts'), services + more);
  for (const service of ['back', 'front']) await writeMain(service, main);
  await using commands = new AsyncDisposableStack();
  commands.defer(() => rm(folder, { recursive: true }));
  const kept = commands.move();
  return {
    folder,
    dataFolder,
    main,
    writeMain,
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
  const streams = [child.stdout, child.stderr];
  let output = '';
  for (const stream of streams)
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const closed = once(child, 'close');
  const printed = (text: string | RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (output.search(text instanceof RegExp ? text : RegExp.escape(text)) >= 0) resolve();
      };
      for (const stream of streams) stream.on('data', look);
      closed.then(() => reject(new Error(`svc ${args.join(' ')} ended without printing ${text}: ${output}`)));
      look();
    });
  return { child, output: () => output, printed, closed };
}
