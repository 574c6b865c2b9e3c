import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleService } from '../bundle/bundle-service.ts';
import { services } from '../repository/load-services.ts';

/** Requires that `svc bundle` can write every service, as in the build of its image. Returns undefined when it can. */
export async function checkBundles(): Promise<string | undefined> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bundles-'));
  const results = await Promise.allSettled(
    services.map(({ name }) => bundleService(name, join(folder.path, name))),
  );
  return (
    results.flatMap((each) => (each.status === 'rejected' ? [String(each.reason.message)] : [])).join('\n') ||
    undefined
  );
}
