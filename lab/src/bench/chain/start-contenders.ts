import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selectByName } from '@acme/dev/cli';
import { audience, createSigningKeys, issuer } from '@acme/rpc/testing';
import { startBenchProcess } from '../load/pinned-process.ts';
import { prepareStockLoad, type StockLoad } from '../load/stock-load.ts';

const names = ['http2', 'grpcjs', 'full', 'nice', 'nice_full', 'connect', 'nest'] as const;

export interface Contenders extends AsyncDisposable {
  readonly contenders: readonly { readonly name: string; readonly load: StockLoad }[];
}

/**
 * Starts servers of one small authenticated unary method, each written as its library's documentation suggests.
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
  const program = (file: string) => new URL(`./${file}-server.ts`, import.meta.url);
  const token = await keys.sign({ scope: 'inventory:read', exp: Math.floor(Date.now() / 1000) + 24 * 3600 });

  const programs: Record<(typeof names)[number], [program: string, ...args: string[]]> = {
    http2: ['http2'],
    grpcjs: ['grpcjs'],
    full: ['saturday', keys.jwks, issuer, audience],
    nice: ['nice'],
    nice_full: ['nice', 'full'],
    connect: ['connect'],
    nest: ['nest'],
  };
  const contenders = [];
  for (const { name } of selected) {
    const [file, ...args] = programs[name];
    const server = starting.use(
      await startBenchProcess(name, 'server', program(file), args, join(folder.path, name)),
    );
    contenders.push({ name, load: await prepareStockLoad(server.port, token) });
  }
  const running = starting.move();
  return { contenders, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
