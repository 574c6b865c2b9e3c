import { spawnSync } from 'node:child_process';
import { policyOf } from '@acme/rpc/contract';
import { createFileRegistry, type DescMethod, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { root } from '../../repository/paths.ts';

/** Packages of services that this repository serves but does not define. */
const foreignPackages = ['grpc.', 'google.'];

/**
 * Returns the methods of the contract in `folder` without a valid policy, a line each; undefined when there are none. The
 * code of the contract need not be generated.
 *
 * @throws Error when the contract does not compile.
 */
export function checkPolicies(folder = root): string | undefined {
  const built = spawnSync('buf', ['build', '--as-file-descriptor-set', '--output', '-'], { cwd: folder });
  if (built.status !== 0) throw new Error(built.error?.message ?? `${built.stderr}`);
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, built.stdout));
  const services = [...registry]
    .filter((type) => type.kind === 'service')
    .filter(({ typeName }) => !foreignPackages.some((name) => typeName.startsWith(name)));
  if (services.length === 0) return 'the contract has no service with policies';
  const problems = services
    .flatMap(({ methods }) => methods)
    .flatMap((method) => policyProblem(method) ?? []);
  return problems.join('\n') || undefined;
}

function policyProblem(method: DescMethod): string | undefined {
  try {
    policyOf(method);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
