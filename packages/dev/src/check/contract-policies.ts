import { spawnSync } from 'node:child_process';
import { policyOf } from '@acme/rpc/call/policy';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { root } from '../repository/paths.ts';

/** Services that other people wrote and we serve. */
const foreign = ['grpc.', 'google.'];

/**
 * Reads the contract as it stands in `folder`, generated or not.
 *
 * @throws Error naming the method that has no valid policy.
 */
export function requireContractPolicies(folder = root): undefined {
  const built = spawnSync('buf', ['build', '--as-file-descriptor-set', '--output', '-'], { cwd: folder });
  if (built.status !== 0) throw new Error(built.error?.message ?? `${built.stderr}`);
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, built.stdout));
  const services = [...registry]
    .filter((type) => type.kind === 'service')
    .filter(({ typeName }) => !foreign.some((name) => typeName.startsWith(name)));
  if (services.length === 0) throw new Error('the contract has no service of ours');
  for (const service of services) for (const method of service.methods) policyOf(method);
}
