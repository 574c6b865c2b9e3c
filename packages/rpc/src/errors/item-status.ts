import type { Status } from '@acme/gen/google/rpc/status_pb';
import type { DescMethod } from '@bufbuild/protobuf';
import { RpcError } from './rpc-error.ts';
import { boundedStatus, unpackDetails } from './status-details.ts';

/** The error of one item, for the answer to a batch (AIP-193): what a call for it alone would have been answered. */
export function toItemStatus({ code, message, details }: RpcError): Status {
  return boundedStatus(code, message, details);
}

/** The error of one item, from what `method` answered to the batch. */
export function fromItemStatus(status: Status, method: DescMethod): RpcError {
  return new RpcError(status.code, status.message, {
    details: unpackDetails(status),
    answeredBy: `${method.parent.typeName}/${method.name}`,
  });
}
