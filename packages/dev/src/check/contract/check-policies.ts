import { methodName, type Policies, policiesOf, policyOf, resolvePolicies } from '@acme/rpc/contract';
import { ErrorReasonSchema, method as methodPolicy } from '@acme/rpc/gen/policy/v1/policy_pb';
import { createFileRegistry, type DescMethod, getOption } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { createValidator } from '@bufbuild/protovalidate';
import type { ContractImage } from './contract-images.ts';

const validator = createValidator();

/**
 * Returns the methods of a contract without a valid policy, a line each; undefined when there are none. A policy is in the
 * contract or in `policies`. Contracts of other authors need none, and neither does a repository without the option
 * (policy.v1.method). The code need not be generated.
 */
export function checkPolicies(
  { descriptors, own }: Pick<ContractImage, 'descriptors' | 'own'>,
  policies: Policies = {},
): string | undefined {
  const registry = createFileRegistry(descriptors);
  const services = [...registry].filter((type) => type.kind === 'service');
  const ownServices = services.filter(({ file }) => own.has(`${file.name}.proto`));
  if (!registry.getExtension(methodPolicy.typeName)) return undefined;
  const problems = ownServices
    .flatMap(({ methods }) => methods)
    .flatMap(
      (method) =>
        problemOf(() => policyOf(method, policies)) ?? problemOf(() => requireValidErrors(method)) ?? [],
    );
  if (problems.length > 0) return problems.join('\n');
  // Also finds a key that names nothing. A key may name a service of another author.
  const named = services.filter((service) => Object.keys(policiesOf(service, policies)).length > 0);
  return problemOf(() => resolvePolicies([...ownServices, ...named], policies));
}

/** Throws if a listed error reason has no status code, for instance. */
function requireValidErrors(method: DescMethod): void {
  for (const reason of getOption(method, methodPolicy).errors) {
    const { violations = [] } = validator.validate(ErrorReasonSchema, reason);
    const [{ field, message } = { field: [], message: '' }] = violations;
    if (violations.length > 0)
      throw new Error(
        `${methodName(method)}: policy.v1.method.errors ${reason.reason}: ${pathToString(field)}: ${message}`,
      );
  }
}

function problemOf(resolve: () => unknown): string | undefined {
  try {
    resolve();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
