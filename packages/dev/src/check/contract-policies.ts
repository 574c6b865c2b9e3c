import { spawnSync } from 'node:child_process';
import { policyOf } from '@acme/rpc/call/policy';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { root } from '../repository/paths.ts';

/** Packages of services that this repository serves but does not define. */
const foreignPackages = ['grpc.', 'google.'];

/**
 * Checks the policies of the contract in `folder`, which need not be generated.
 *
 * @throws Error that names the method without a valid policy.
 */
export function requireContractPolicies(folder = root): undefined {
  const built = spawnSync('buf', ['build', '--as-file-descriptor-set', '--output', '-'], { cwd: folder });
  if (built.status !== 0) throw new Error(built.error?.message ?? `${built.stderr}`);
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, built.stdout));
  const services = [...registry]
    .filter((type) => type.kind === 'service')
    .filter(({ typeName }) => !foreignPackages.some((name) => typeName.startsWith(name)));
  if (services.length === 0) throw new Error('the contract has no service with policies');
  for (const service of services) for (const method of service.methods) policyOf(method);
}
