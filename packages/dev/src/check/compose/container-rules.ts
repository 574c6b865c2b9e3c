import { developmentTrustDomain } from '../../credentials/development-certificates.ts';
import { type CallPlaces, callProblems, type DeployedService } from '../deployment/call-rules.ts';
import type { ListedService } from '../deployment/listed-service.ts';
import { portProblems } from '../deployment/port-rules.ts';
import { readServiceSettings, type ServiceSettings } from '../deployment/service-settings.ts';
import type { ComposeContainer } from './compose-project.ts';

const fileOf = (name: string) => `deploy/compose/services/${name}.yaml`;
const places: CallPlaces = { target: fileOf, peers: (called) => `AUTH_PEERS in ${fileOf(called)}` };

/** Lists services of `services.ts` without a container, and containers with other ports, secrets or calls than their service. */
export async function containerProblems(
  entries: readonly ListedService[],
  containers: ReadonlyMap<string, ComposeContainer>,
  servicesFolder: string,
): Promise<string[]> {
  const problems: string[] = [];
  const deployed = new Map<string, DeployedService>();
  for (const entry of entries) {
    const { name } = entry;
    const container = containers.get(name);
    if (!container) {
      problems.push(`no container ${name}: write ${fileOf(name)}, and list it in docker-compose.yml`);
      continue;
    }
    const settings = await readServiceSettings(name, variablesOf(container), servicesFolder);
    deployed.set(name, { settings, identity: `spiffe://${developmentTrustDomain}/${name}` });
    const found = [
      ...settings.problems,
      ...portProblems(entry, settings),
      ...settingsProblems(entry, settings),
      ...secretsProblems(name, container, containers.get('secrets')),
      ...(container.build?.args?.SERVICE === name
        ? []
        : [`is not built from services/${name}: set SERVICE in build.args`]),
    ];
    problems.push(...found.map((problem) => `container ${name} ${problem}`));
  }
  return [...problems, ...callProblems(entries, deployed, places)];
}

/** An empty variable counts as one that is not set. */
function variablesOf({ environment = {} }: ComposeContainer): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment)
      .map(([name, value]) => [name, String(value)] as const)
      .filter(([, value]) => value !== ''),
  );
}

function settingsProblems({ name, webPort }: ListedService, settings: ServiceSettings): string[] {
  const problems: string[] = [];
  if (settings.webPort !== undefined && settings.webPort !== webPort)
    problems.push(`serves browsers on ${settings.webPort}, and services.ts says ${webPort ?? 'no webPort'}`);
  if (settings.audience !== name)
    problems.push(`accepts tokens for ${settings.audience}: set AUTH_AUDIENCE to its own name`);
  return problems;
}

/** Each service mounts a volume of its own, which the container `secrets` fills. */
function secretsProblems(
  name: string,
  container: ComposeContainer,
  secrets: ComposeContainer | undefined,
): string[] {
  const problems: string[] = [];
  if (!container.volumes?.includes(`${name}-secrets:/secrets:ro`))
    problems.push(`has no secrets: mount ${name}-secrets:/secrets:ro`);
  if (!secrets?.volumes?.includes(`${name}-secrets:/secrets/${name}`))
    problems.push(`gets no secrets: mount ${name}-secrets:/secrets/${name} in the container secrets`);
  return problems;
}
