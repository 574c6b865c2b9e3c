import { create } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import {
  type ErrorInfo,
  ErrorInfoSchema,
  type PreconditionFailure,
  PreconditionFailureSchema,
  type ResourceInfo,
  ResourceInfoSchema,
  type RetryInfo,
  RetryInfoSchema,
} from '../gen/google/rpc/error_details_pb.ts';
import type { RpcError } from './rpc-error.ts';

/** Returns the machine-readable cause of an error: a reason in UPPER_SNAKE_CASE, unique within its domain (AIP-193). */
export function errorInfo(domain: string, reason: string, metadata: Record<string, string> = {}): ErrorInfo {
  return create(ErrorInfoSchema, { domain, reason, metadata });
}

/** Returns the violations behind a FAILED_PRECONDITION. */
export function preconditionFailure(
  violations: readonly { type: string; subject: string; description: string }[],
): PreconditionFailure {
  return create(PreconditionFailureSchema, { violations: [...violations] });
}

/** Returns the resource that an error is about, for instance the missing one of a NOT_FOUND. */
export function resourceInfo(resourceType: string, resourceName: string, description = ''): ResourceInfo {
  return create(ResourceInfoSchema, { resourceType, resourceName, description });
}

/** Returns the time to wait before the call is retried. */
export function retryInfo(delayMs: number): RetryInfo {
  return create(RetryInfoSchema, { retryDelay: durationFromMs(delayMs) });
}

/** Returns the delay of an error's RetryInfo in ms, negative for "do not retry"; undefined without one. */
export function retryDelayMsOf(error: RpcError): number | undefined {
  const delay = error.findDetail(RetryInfoSchema)?.retryDelay;
  return delay && durationMs(delay);
}
