import { writeFileSync } from 'node:fs';
import { mkdir, mkdtempDisposable, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { watchSources } from './watch-sources.ts';

/** Time for an event on a busy machine. */
const patient = { timeout: 60_000 };

async function makeRepository() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'watch é#% '));
  const write = async (file: string) => {
    await mkdir(dirname(join(folder.path, file)), { recursive: true });
    await writeFile(join(folder.path, file), '');
  };
  for (const file of ['orders/src/app.ts', 'inventory/src/app.ts', 'inventory/migrations/0001.sql'])
    await write(`services/${file}`);
  for (const file of ['packages/rpc/src/server/server.ts', 'gen/src/orders_pb.ts']) await write(file);
  return { path: folder.path, write, [Symbol.asyncDispose]: () => folder.remove() };
}

test('a change concerns the service whose folder has the file, and every service if packages or generated code have it', async () => {
  await using repository = await makeRepository();
  const changes: string[] = [];
  using _watch = watchSources(repository.path, ['orders', 'inventory'], (service, file) =>
    changes.push(`${service}: ${file}`),
  );
  const next = async () => {
    await expect.poll(() => changes.length, patient).toBeGreaterThan(0);
    return changes.splice(0);
  };
  const write = (file: string) => repository.write(file);
  await write('services/orders/src/app.ts');
  expect(await next()).toEqual(['orders: services/orders/src/app.ts']);
  await write('services/inventory/migrations/0002.sql');
  expect(await next()).toEqual(['inventory: services/inventory/migrations/0002.sql']);
  for (const file of ['packages/rpc/src/server/server.ts', 'gen/src/orders_pb.ts']) {
    await write(file);
    expect(await next()).toEqual([`orders: ${file}`, `inventory: ${file}`]);
  }

  // An editor writes a file beside the old one and renames it.
  await write('services/orders/src/.app.ts.swp');
  await rename(
    join(repository.path, 'services/orders/src/.app.ts.swp'),
    join(repository.path, 'services/orders/src/app.ts'),
  );
  expect(await next()).toEqual(['orders: services/orders/src/app.ts']);
  await write('services/orders/src/app.ts');
  expect(await next()).toEqual(['orders: services/orders/src/app.ts']);
  await rm(join(repository.path, 'services/orders/src/app.ts'));
  expect(await next()).toEqual(['orders: services/orders/src/app.ts']);

  // Files that no service loads do not count: the next report is that of the change after them.
  await write('services/orders/src/app.test.ts');
  await write('services/orders/src/app.ts~');
  await write('services/inventory/src/app.ts');
  expect(await next()).toEqual(['inventory: services/inventory/src/app.ts']);
}, 120_000);

test('files in new folders are watched', async () => {
  await using repository = await makeRepository();
  const changes = new Set<string>();
  using _watch = watchSources(repository.path, ['orders'], (_service, file) => changes.add(file));
  await repository.write('services/orders/src/new/folder/a.ts');
  await expect
    .poll(async () => {
      await repository.write('services/orders/src/new/folder/b.ts');
      return [...changes];
    }, patient)
    .toContain('services/orders/src/new/folder/b.ts');
}, 120_000);

test('changes of a burst are reported once', async () => {
  await using repository = await makeRepository();
  const changes: string[] = [];
  using _watch = watchSources(repository.path, ['orders'], (_service, file) => changes.push(file));
  for (const name of ['a', 'b', 'c'])
    writeFileSync(join(repository.path, 'services/orders/src', `${name}.ts`), '');
  await expect.poll(() => changes, patient).toEqual(['services/orders/src/a.ts']);
}, 120_000);
