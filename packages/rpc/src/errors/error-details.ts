import {
  type ErrorInfo,
  ErrorInfoSchema,
  type PreconditionFailure,
  PreconditionFailureSchema,
  type ResourceInfo,
  ResourceInfoSchema,
  type RetryInfo,
  RetryInfoSchema,
} from '@acme/gen/google/rpc/error_details_pb';
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';

/** What a program decides by: a reason in UPPER_SNAKE_CASE, unique within its domain (AIP-193). */
export function errorInfo(domain: string, reason: string, metadata: Record<string, string> = {}): ErrorInfo {
  return create(ErrorInfoSchema, { domain, reason, metadata });
}

/** What stands in the way of a FAILED_PRECONDITION, thing by thing. */
export function preconditionFailure(
  violations: readonly { type: string; subject: string; description: string }[],
): PreconditionFailure {
  return create(PreconditionFailureSchema, { violations: [...violations] });
}

/** The resource that is missing. */
export function resourceInfo(resourceType: string, resourceName: string, description = ''): ResourceInfo {
  return create(ResourceInfoSchema, { resourceType, resourceName, description });
}

/** How long to wait before the call is worth making again. */
export function retryInfo(delayMs: number): RetryInfo {
  return create(RetryInfoSchema, { retryDelay: durationFromMs(delayMs) });
}
