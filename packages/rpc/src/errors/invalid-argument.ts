import { create } from '@bufbuild/protobuf';
import { BadRequestSchema } from '../gen/google/rpc/error_details_pb.ts';
import { Code, RpcError } from './rpc-error.ts';

/** Returns INVALID_ARGUMENT with a BadRequest that lists every violation (AIP-193). */
export function invalidArgument(
  violations: readonly { field: string; description: string; reason?: string }[],
): RpcError {
  const [first] = violations;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  return new RpcError(Code.INVALID_ARGUMENT, `${first?.field}: ${first?.description}${more}`, {
    details: [create(BadRequestSchema, { fieldViolations: [...violations] })],
  });
}
