import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@acme/dev/start';
import { type CommandResult, docker, findCompose, type RunOptions, run } from './docker.ts';

/** A stack of docker-compose.yml with a project, ports and volumes of its own, so that it can run beside others. */
export interface Stack extends AsyncDisposable {
  /** The console's page on this machine. */
  readonly consoleUrl: string;
  /** Runs Compose on this stack, and returns its output. Throws the output when Compose fails. */
  compose(...args: string[]): Promise<string>;
  /** Runs a service's command in a new container until it exits. */
  runOnce(args: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** Lists the ids of a service's containers, stopped ones included. */
  containersOf(service: string): Promise<string[]>;
  /** Resolves once the long-running services are healthy and the others have exited with 0. */
  untilReady(): Promise<void>;
}

const readyTimeoutMs = 300_000;
const pollMs = 200;

/** Services that must be healthy, and services that must have exited with 0. */
const longRunning = ['postgres', 'inventory', 'orders'];
const onceOnly = ['secrets', 'seed'];

/** Opens a stack without starting it. Disposal removes its containers and volumes. `signal` kills its running commands. */
export async function openStack(project: string, postgresImage: string, signal: AbortSignal): Promise<Stack> {
  const [command, ...prefix] = await findCompose();
  // The console accepts requests for its own port only, which it must know.
  const consolePort = await freePort();
  // 0: each replica gets a free port.
  const environment = {
    ORDERS_PORTS: '0',
    ORDERS_WEB_PORTS: '0',
    INVENTORY_WEB_PORTS: '0',
    CONSOLE_PORT: String(consolePort),
    COMPOSE_PROJECT_NAME: project,
    POSTGRES_IMAGE: postgresImage,
  };
  const composeUnless = async (signal: AbortSignal | undefined, ...args: string[]) => {
    const { code, output } = await run(command, [...prefix, ...args], {
      environment,
      ...(signal && { signal }),
    });
    if (code !== 0) throw new Error(`compose ${args.join(' ')} failed:\n${output.trim()}`);
    return output;
  };
  const compose = (...args: string[]) => composeUnless(signal, ...args);
  const containersOf = async (service: string) => {
    const labels = [`com.docker.compose.project=${project}`, `com.docker.compose.service=${service}`];
    const filters = [...labels, 'com.docker.compose.oneoff=False'].flatMap((label) => [
      '--filter',
      `label=${label}`,
    ]);
    return (await docker('ps', '--all', '--quiet', '--no-trunc', ...filters)).split('\n').filter(Boolean);
  };
  const stateOf = async (service: string) => {
    const ids = await containersOf(service);
    const format = '{{.State.Status}} {{.State.ExitCode}} {{with .State.Health}}{{.Status}}{{end}}';
    return ids.length === 0 ? [] : (await docker('inspect', '--format', format, ...ids)).split('\n');
  };
  const untilReady = async () => {
    const deadlineMs = performance.now() + readyTimeoutMs;
    for (;;) {
      const states = await Promise.all([...longRunning, ...onceOnly].map(stateOf));
      const isReady = states.map((each, index) => {
        const wanted = index < longRunning.length ? /^running 0 healthy$/ : /^exited 0 ?$/;
        return each.length > 0 && each.every((state) => wanted.test(state));
      });
      if (isReady.every(Boolean)) return;
      if (performance.now() > deadlineMs)
        throw new Error(`the stack was not ready in ${readyTimeoutMs / 1000} s:\n${await compose('logs')}`);
      await sleep(pollMs, undefined, { signal });
    }
  };
  return {
    consoleUrl: `http://127.0.0.1:${consolePort}`,
    compose,
    containersOf,
    untilReady,
    runOnce: (args, options) =>
      run(command, [...prefix, 'run', '--rm', '-T', ...args], { ...options, environment, signal }),
    [Symbol.asyncDispose]: async () => {
      await composeUnless(undefined, '--profile', 'tools', 'down', '--volumes', '--remove-orphans');
    },
  };
}
