import { setTimeout as sleep } from 'node:timers/promises';
import { docker, type Ended, findCompose, type RunOptions, run } from './docker.ts';

/** A stack of this repository's docker-compose.yml, beside any other: its project, ports and volumes are its own. */
export interface Stack extends AsyncDisposable {
  /** Runs Compose on this stack. Throws what it said when it fails. */
  compose(...args: string[]): Promise<string>;
  /** Runs a service's command once, in a container of its own, to its end. */
  runOnce(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** The ids of a service's containers, also those that have stopped. */
  containersOf(service: string): Promise<string[]>;
  /** Resolves once all that has a health check is healthy, and all that runs once has ended well. */
  untilReady(): Promise<void>;
}

const readyTimeoutMs = 300_000;
const pollMs = 200;

/** What is to be healthy, and what is to have ended with 0. */
const lasting = ['postgres', 'inventory', 'orders'];
const onceOnly = ['secrets', 'catalogue'];

/** Nothing is started yet. Disposing takes down whatever was, and its volumes; the signal ends whatever it is doing. */
export async function openStack(project: string, postgresImage: string, signal: AbortSignal): Promise<Stack> {
  const [command, ...prefix] = await findCompose();
  // 0 is any port that is free, for each replica.
  const environment = {
    ORDERS_PORTS: '0',
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
      const states = await Promise.all([...lasting, ...onceOnly].map(stateOf));
      const isReady = states.map((each, index) => {
        const wanted = index < lasting.length ? /^running 0 healthy$/ : /^exited 0 ?$/;
        return each.length > 0 && each.every((state) => wanted.test(state));
      });
      if (isReady.every(Boolean)) return;
      if (performance.now() > deadlineMs)
        throw new Error(`the stack was not ready in ${readyTimeoutMs / 1000} s:\n${await compose('logs')}`);
      await sleep(pollMs, undefined, { signal });
    }
  };
  return {
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
