import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selectByName } from '@acme/dev/cli';
import { audience, createSigningKeys, issuer } from '@acme/rpc/testing';
import { startBenchProcess } from '../load/pinned-process.ts';
import { prepareStockLoad, type StockLoad } from '../load/stock-load.ts';
import type { UnaryOutcome } from '../load/unary-load.ts';
import { processorMs } from '../turns/processor-time.ts';
import type { Contender } from '../turns/turns.ts';
import { buildGoServer } from './go-server.ts';

const names = ['http2', 'grpcjs', 'full', 'nice', 'nice_full', 'connect', 'nest', 'go_full'] as const;

export type ContenderName = (typeof names)[number];

/** A server, whose work in a turn is that of `load.run`. */
interface ServerContender extends Contender<ContenderName, UnaryOutcome> {
  readonly load: StockLoad;
  readonly target: string;
}

export interface Contenders extends AsyncDisposable {
  readonly contenders: readonly ServerContender[];
  /** Token for GetStock. */
  readonly token: string;
}

/**
 * Starts servers of one small authenticated unary method, each written as its library's documentation suggests. A server
 * in Go is left out, with a line that says so, where it cannot be built.
 *
 * @param only Names of the contenders. None: all. An unknown name rejects the command line.
 */
export async function startContenders(only: readonly string[]): Promise<Contenders> {
  const selected = selectByName(
    names.map((name) => ({ name })),
    only,
  );
  await using starting = new AsyncDisposableStack();
  const keys = starting.use(await createSigningKeys());
  const folder = starting.use(await mkdtempDisposable(join(tmpdir(), 'bench-chain-')));
  const token = await keys.sign({ scope: 'inventory:read', exp: Math.floor(Date.now() / 1000) + 24 * 3600 });

  const programs: Record<ContenderName, [program: string, ...args: string[]]> = {
    http2: ['http2'],
    grpcjs: ['grpcjs'],
    full: ['saturday', keys.jwks, issuer, audience],
    nice: ['nice'],
    nice_full: ['nice', 'full'],
    connect: ['connect'],
    nest: ['nest'],
    go_full: ['go', keys.jwks, issuer, audience],
  };
  const contenders = [];
  for (const { name } of selected) {
    const [file, ...args] = programs[name];
    const program =
      file === 'go' ? goServerIn(folder.path, name) : new URL(`./${file}-server.ts`, import.meta.url);
    if (!program) continue;
    const server = starting.use(
      await startBenchProcess(name, 'server', program, args, join(folder.path, name)),
    );
    const load = await prepareStockLoad(server.port, token);
    contenders.push({
      name,
      load,
      target: `127.0.0.1:${server.port}`,
      work: load.run,
      processes: { server: () => processorMs(server.pid) },
    });
  }
  const running = starting.move();
  return { contenders, token, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function goServerIn(folder: string, name: string): URL | undefined {
  try {
    return buildGoServer(folder);
  } catch (error) {
    process.stdout.write(`skip ${name}: ${(error as Error).message}\n`);
    return undefined;
  }
}
