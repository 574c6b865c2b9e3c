// Methods of a contract: their names, kinds and policies. Fields of its messages.
export type { MessageFields } from '../call/message-fields.ts';
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
