import { type Policies, policyOf } from '@acme/rpc/contract';
import type { DescService } from '@bufbuild/protobuf';
import { compileDescriptors } from '../descriptors/compile.ts';
import { type CalledService, requireServiceName, type ServicePlan } from './plan-service.ts';

/**
 * Plans the service of a contract of this repository.
 *
 * @param file Path in the folder `proto`: `payments/v1/payment_service.proto`.
 * @throws Error when the file has not exactly one service, or a name or a policy that the service cannot have.
 */
export function planContract(
  root: string,
  file: string,
  { calls, policies }: { calls: CalledService | undefined; policies: Policies },
): ServicePlan {
  const contract = serviceIn(root, file.replace(/^(\.\/)?proto\//, ''));
  const [, service = '', version] = /^([^.]*)\.(v\d\w*)$/.exec(contract.file.proto.package) ?? [];
  if (!version) throw new Error(`${file}: name its package after the service, with a version: payments.v1`);
  requireServiceName(service);
  const [, stem] = /^(.+)Service$/.exec(contract.name) ?? [];
  if (!stem) throw new Error(`${file}: name the service ${contract.name}Service`);
  for (const method of contract.methods) policyOf(method, policies);
  const rpcs = contract.methods.map(({ name, methodKind }) => ({
    name,
    kind: 'contract' as const,
    served: false,
    isStream: methodKind !== 'unary',
  }));
  return { service, stem, resource: stem, resources: stem, rpcs, calls, settle: false, contract };
}

function serviceIn(root: string, path: string): DescService {
  const file = compileDescriptors(root).getFile(path);
  if (!file)
    throw new Error(`proto/${path} does not exist: --proto names a file of the contract in that folder`);
  const [service, ...others] = file.services;
  if (!service || others.length > 0)
    throw new Error(`proto/${path} has ${file.services.length} services: --proto needs a file with one`);
  return service;
}
