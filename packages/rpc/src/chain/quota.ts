import { QuotaFailureSchema } from '@acme/gen/google/rpc/error_details_pb';
import { create } from '@bufbuild/protobuf';
import type { Interceptor, ServerCall } from '../call/handler.ts';
import type { Quota } from '../call/policy.ts';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';

/** What is left of a caller's quota, at a time. */
interface Bucket {
  calls: number;
  atMs: number;
}

/** Buckets kept for a method; beyond, the one that was used longest ago is dropped, and its caller has a full one. */
const maxBuckets = 10_000;

/**
 * Holds each caller to the quota that the contract gives a method: a token bucket per subject and method, in this
 * replica. RESOURCE_EXHAUSTED with a QuotaFailure, and a RetryInfo for the next call of the bucket.
 *
 * @param nowMs A clock that only moves forward, in ms.
 */
export function quota(nowMs: () => number = () => performance.now()): Interceptor {
  const byMethod = new Map<string, Map<string, Bucket>>();
  return (next) => (call) => {
    const limits = call.method.policy.quota;
    if (limits && !call.principal.scopes.has(limits.exemptScope)) {
      const buckets = byMethod.getOrInsertComputed(call.method.name, () => new Map());
      const waitMs = take(bucketOf(buckets, call.caller, limits, nowMs()), limits, nowMs());
      if (waitMs > 0) throw quotaExceeded(call, limits, waitMs);
    }
    return next(call);
  };
}

/** The caller's bucket, as the last one that was used. */
function bucketOf(buckets: Map<string, Bucket>, caller: string, { burst }: Quota, atMs: number): Bucket {
  const bucket = buckets.get(caller) ?? { calls: burst, atMs };
  buckets.delete(caller);
  if (buckets.size >= maxBuckets) buckets.delete(buckets.keys().next().value ?? '');
  buckets.set(caller, bucket);
  return bucket;
}

/** Takes a call from the bucket. Gives 0, or the time in ms until there is one. */
function take(bucket: Bucket, { callsPerSecond, burst }: Quota, nowMs: number): number {
  const filled = ((nowMs - bucket.atMs) / 1000) * callsPerSecond;
  bucket.calls = Math.min(bucket.calls + filled, burst);
  bucket.atMs = nowMs;
  if (bucket.calls < 1) return ((1 - bucket.calls) / callsPerSecond) * 1000;
  bucket.calls--;
  return 0;
}

function quotaExceeded(call: ServerCall, { callsPerSecond, burst }: Quota, waitMs: number): RpcError {
  const { name } = call.method;
  const description = `${callsPerSecond} calls of ${name} a second, ${burst} at once`;
  return new RpcError(Code.RESOURCE_EXHAUSTED, `the caller is over its quota: ${description}`, {
    details: [
      create(QuotaFailureSchema, { violations: [{ subject: `${name} of the caller`, description }] }),
      retryInfo(Math.ceil(waitMs)),
    ],
  });
}
