import type { ListedService } from './listed-service.ts';
import type { ServiceSettings } from './service-settings.ts';

/** Requires that a service listens, and exports its metrics, on the ports of `services.ts`. */
export function portProblems({ port, metricsPort }: ListedService, settings: ServiceSettings): string[] {
  const problems: string[] = [];
  if (settings.port !== port) problems.push(`listens on ${settings.port}, and services.ts says ${port}`);
  if (settings.metricsPort !== metricsPort)
    problems.push(`exports metrics on ${settings.metricsPort}, and services.ts says ${metricsPort}`);
  return problems;
}
