import { create } from '@bufbuild/protobuf';
import type { Interceptor, ServerCall } from '../call/handler.ts';
import type { Quota } from '../call/policy.ts';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { QuotaFailureSchema } from '../gen/google/rpc/error_details_pb.ts';
import { getOrInsert } from '../node-24/get-or-insert.ts';

/** A token bucket: the calls left at a point in time. */
interface Bucket {
  calls: number;
  atMs: number;
}

/** Maximum number of buckets per method. Beyond it the least recently used bucket is dropped, which refills it. */
const maxBuckets = 10_000;

/**
 * Enforces the contract's quota per caller and method with a token bucket in this replica. Rejects with
 * RESOURCE_EXHAUSTED, a QuotaFailure, and a RetryInfo with the time until the bucket has a call.
 *
 * @param nowMs A clock that only moves forward, in ms.
 */
export function quota(nowMs: () => number = () => performance.now()): Interceptor {
  const byMethod = new Map<string, Map<string, Bucket>>();
  return (next) => (call) => {
    const limits = call.method.policy.quota;
    if (limits && !call.principal.scopes.has(limits.exemptScope)) {
      const buckets = getOrInsert(byMethod, call.method.name, () => new Map());
      const waitMs = take(bucketOf(buckets, call.caller, limits, nowMs()), limits, nowMs());
      if (waitMs > 0) throw quotaExceeded(call, limits, waitMs);
    }
    return next(call);
  };
}

/** Returns the caller's bucket and marks it as the most recently used. */
function bucketOf(buckets: Map<string, Bucket>, caller: string, { burst }: Quota, atMs: number): Bucket {
  const bucket = buckets.get(caller) ?? { calls: burst, atMs };
  buckets.delete(caller);
  if (buckets.size >= maxBuckets) buckets.delete(buckets.keys().next().value ?? '');
  buckets.set(caller, bucket);
  return bucket;
}

/** Takes a call from the bucket. Returns 0, or the time in ms until the bucket has one. */
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
