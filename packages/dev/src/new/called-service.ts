import { type Policies, policyOf } from '@acme/rpc/contract';
import { suggestion } from '../cli/arguments/nearest-name.ts';
import type { ServiceEntry } from '../repository/service-entry.ts';
import type { CalledService } from './plan-service.ts';

/**
 * Returns the service that a new service calls, with the scopes of all of its methods.
 *
 * @throws Error when the repository has no such service, or the name is a list.
 */
export function calledService(
  name: string,
  services: readonly Pick<ServiceEntry, 'name' | 'port' | 'descriptor'>[],
  policies: Policies,
): CalledService {
  const entry = services.find((each) => each.name === name);
  if (!entry) {
    const names = services.map((each) => each.name);
    throw new Error(
      name.includes(',')
        ? `--calls ${name}: name one service, and add further ones by hand, each with a token file of its own`
        : `--calls: there is no service ${name}${suggestion(name, names, `the services are ${names.join(', ')}`)}`,
    );
  }
  const { port, descriptor } = entry;
  const scopes = new Set(descriptor.methods.flatMap((method) => policyOf(method, policies).scopes));
  return { name, port, descriptor, scopes: [...scopes] };
}
