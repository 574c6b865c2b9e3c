import { type DescService, getOption } from '@bufbuild/protobuf';
import { codeName, type RpcError } from '../errors/rpc-error.ts';
import { ErrorInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { method as methodPolicy } from '../gen/policy/v1/policy_pb.ts';

/**
 * Returns the failures that the contract of a service lists, once each and sorted: reason, status code and further details,
 * `ORDER_NOT_FOUND NOT_FOUND google.rpc.ResourceInfo`.
 */
export function listedReasons({ methods }: DescService): string[] {
  const reasons = methods.flatMap((method) => getOption(method, methodPolicy).errors);
  return sorted(reasons.map(({ reason, code, details }) => line(reason, code, details)));
}

/** Returns the failures in the form of `listedReasons`. Errors without an ErrorInfo are left out. */
export function reasonsOf(errors: readonly RpcError[]): string[] {
  return sorted(
    errors.flatMap((error) => {
      const info = error.findDetail(ErrorInfoSchema);
      if (!info) return [];
      const details = error.details.map(({ $typeName }) => $typeName);
      const further = details.filter((name) => name !== ErrorInfoSchema.typeName);
      return [line(info.reason, codeName(error.code), further)];
    }),
  );
}

function line(reason: string, code: string, details: readonly string[]): string {
  return [reason, code, ...new Set(details)].join(' ');
}

function sorted(lines: readonly string[]): string[] {
  return [...new Set(lines)].sort();
}
