import { readFileSync } from 'node:fs';
import type { ListedService } from '../../deployment/listed-service.ts';
import { testServicesFolder } from '../../deployment/testing/services-folder.ts';
import { manifestProblems } from '../check-kubernetes.ts';
import { parseManifests } from '../manifest.ts';

const manifests = readFileSync(new URL('manifests.yaml', import.meta.url), 'utf8');

/** The service of `manifests.yaml`. */
export const depot: ListedService = { name: 'depot', port: 59999, metricsPort: 9999, calls: {} };

/** Returns the problems of `manifests.yaml` after every `from` in it has been replaced. */
export async function problemsWith(
  from: string,
  to: string,
  entries: readonly ListedService[] = [depot],
): Promise<string[]> {
  if (!manifests.includes(from)) throw new Error(`manifests.yaml does not contain ${from}`);
  const changed = parseManifests(manifests.replaceAll(from, to));
  return await manifestProblems(changed, testServicesFolder, entries);
}
