// Methods of a contract: their names, kinds and policies.
export { hasRequestStream, hasResponseStream } from '../call/method-kind.ts';
export { methodName, methodPath } from '../call/method-name.ts';
export {
  type Policies,
  type Policy,
  type PolicyInCode,
  policiesOf,
  policyOf,
  type Quota,
  resolvePolicies,
} from '../call/policy.ts';
