import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { policyOf, resolvePolicies } from '@acme/rpc/contract';
import { Channelz } from '@acme/rpc/gen/grpc/channelz/v1/channelz_pb';
import { Health } from '@acme/rpc/gen/grpc/health/v1/health_pb';
import { ServerReflection } from '@acme/rpc/gen/grpc/reflection/v1/reflection_pb';
import { ServerReflection as ServerReflectionV1Alpha } from '@acme/rpc/gen/grpc/reflection/v1alpha/reflection_pb';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { contracts } from '../../generate/contracts.ts';
import { policies as listedPolicies } from '../../repository/load-services.ts';
import { root } from '../../repository/paths.ts';
import { isKitVendored } from '../../repository/project.ts';

/** Services of every server of the kit, which gives them their policies. */
const builtIn = new Set(
  [Health, Channelz, ServerReflection, ServerReflectionV1Alpha].map(({ typeName }) => typeName),
);

/**
 * Returns the methods of the contract in `folder` without a valid policy, a line each; undefined when there are none. A
 * policy is in the contract or in `policies`. Contracts of others are left out. The code of the contract need not be generated.
 *
 * @throws Error when the contract does not compile.
 */
export function checkPolicies(folder = root, policies = listedPolicies): string | undefined {
  // A repository without services has no contract of its own.
  if (!isKitVendored && !existsSync(join(folder, 'proto'))) return undefined;
  const built = spawnSync('buf', ['build', '--as-file-descriptor-set', '--output', '-'], { cwd: folder });
  if (built.status !== 0) throw new Error(built.error?.message ?? `${built.stderr}`);
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, built.stdout));
  const services = [...registry]
    .filter((type) => type.kind === 'service')
    .filter(({ typeName }) => !builtIn.has(typeName))
    .filter(({ file }) => !isForeign(folder, file.name));
  if (services.length === 0) return 'the contract has no service with policies';
  const problems = services
    .flatMap(({ methods }) => methods)
    .flatMap((method) => problemOf(() => policyOf(method, policies)) ?? []);
  if (problems.length > 0) return problems.join('\n');
  // Also finds a key that names nothing.
  return problemOf(() => resolvePolicies(services, policies));
}

/** Whether a file belongs to a contract of others. */
function isForeign(folder: string, file: string): boolean {
  return contracts.some(({ proto, foreign }) => foreign && existsSync(join(folder, proto, `${file}.proto`)));
}

function problemOf(resolve: () => unknown): string | undefined {
  try {
    resolve();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
