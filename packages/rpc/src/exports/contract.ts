export { hasRequestStream } from '../call/method-kind.ts';
export { methodName, methodPath } from '../call/method-name.ts';
export { type Policy, policyOf, type Quota } from '../call/policy.ts';
