import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@acme/dev/start';
import { withTimeout } from '../../harness/with-timeout.ts';
import { clientCases, runClientCase } from './client-cases.ts';
import { serverCases } from './server-cases.ts';
import { startTestService } from './test-service.ts';

/** The reason for which each case failed; undefined for a case that passed. */
export type InteropResult = ReadonlyMap<string, string | undefined>;

const maxCaseMs = 20_000;

/** Serves each case of grpc-go's client. */
export async function runServerCases(goClient: string): Promise<InteropResult> {
  await using server = await startTestService();
  const results = new Map<string, string | undefined>();
  for (const name of serverCases)
    results.set(name, await reasonOf(() => runGoClient(goClient, server.port, name)));
  return results;
}

/** Runs each case of the client against grpc-go's server. */
export async function runClientCases(goServer: string): Promise<InteropResult> {
  const port = await freePort();
  const server = spawn(goServer, [`-port=${port}`], { stdio: 'ignore' });
  const results = new Map<string, string | undefined>();
  try {
    await untilListening(port);
    for (const name of clientCases)
      results.set(name, await reasonOf(() => runClientCase(name, `127.0.0.1:${port}`)));
  } finally {
    server.kill();
  }
  return results;
}

async function reasonOf(run: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await withTimeout(maxCaseMs, 'the end of the case', run());
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function runGoClient(goClient: string, port: number, name: string): Promise<void> {
  const client = spawn(goClient, ['-server_host=127.0.0.1', `-server_port=${port}`, `-test_case=${name}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: maxCaseMs,
  });
  const [errors, [code]] = await Promise.all([text(client.stderr), once(client, 'close')]);
  if (code !== 0) throw new Error(errors.trim().split('\n').at(-1) ?? `exit code ${code}`);
}

async function untilListening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await sleep(50);
    } finally {
      socket.destroy();
    }
  }
}
