import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { runIn } from './run-in.ts';

const source = fileURLToPath(new URL('./consumer/', import.meta.url));

/** A project outside of the workspace, which has the kit from a registry. Disposing removes it. */
export interface ConsumerProject extends AsyncDisposable {
  readonly path: string;
  /** Runs a program that the project has installed, on the project's Node. Returns its stdout. */
  run(command: string, ...args: readonly string[]): Promise<string>;
  /** Runs `npm start`, calls `body` when the services are up, and stops them with SIGINT. */
  whileStarted(body: () => Promise<void>): Promise<void>;
}

/** Copies the project to a temporary folder. `nodeVersion` is the range of its package `node`. */
export async function createConsumerProject(
  nodeVersion: string,
  registry: Readonly<Record<string, string>>,
): Promise<ConsumerProject> {
  const folder = await openTemporaryFolder('consumer-');
  const { path } = folder;
  await cp(source, path, { recursive: true });
  const manifest = join(path, 'package.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('NODE_VERSION', nodeVersion));
  const environment = {
    ...registry,
    // Not the workspace's programs, which `npm run` has put first.
    PATH: [join(path, 'node_modules/.bin'), ...outsideOfModules(process.env.PATH)].join(delimiter),
  };
  return {
    path,
    run: (command, ...args) => runIn(path, environment, command, ...args),
    whileStarted: async (body) => {
      const env = { ...process.env, ...environment };
      const child = spawn('svc', ['start'], { cwd: path, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      const ready = Promise.withResolvers<void>();
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
          if (output.includes('Ready.')) ready.resolve();
        });
      const ended = once(child, 'close');
      ended.then(() => ready.reject(new Error(`svc start ended:\n${output}`)));
      try {
        await ready.promise;
        await body();
      } finally {
        child.kill('SIGINT');
        await ended;
      }
      if (child.exitCode !== 0) throw new Error(`svc start exited with ${child.exitCode}:\n${output}`);
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

function outsideOfModules(path = ''): string[] {
  return path.split(delimiter).filter((each) => !each.includes('node_modules'));
}
