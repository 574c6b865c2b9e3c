import { join } from 'node:path';
import { services } from '../../repository/load-services.ts';
import { root } from '../../repository/paths.ts';
import { readComposeProject } from './compose-project.ts';
import { containerProblems } from './container-rules.ts';
import { mountProblems } from './mount-rules.ts';

/**
 * Lists the problems of Compose's containers, a line each. Returns undefined when there are none. Without a service there are no
 * jobs of Prometheus to mount.
 */
export async function checkCompose(): Promise<string | undefined> {
  const containers = readComposeProject(root);
  if (!containers) return undefined;
  const problems = [
    ...(await containerProblems(services, containers, join(root, 'services'))),
    ...(services.length > 0 ? mountProblems(root, containers) : []),
  ];
  return problems.join('\n') || undefined;
}
