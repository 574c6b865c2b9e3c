import type { DescMethod } from '@bufbuild/protobuf';
import { RpcError } from '../errors/rpc-error.ts';
import { boundedStatus, unpackDetails } from '../errors/status-details.ts';
import type { Status } from '../gen/google/rpc/status_pb.ts';
import { methodName } from './method-name.ts';

/** Returns the status of one item for the response of a batch (AIP-193), as a call for this item alone would return it. */
export function toItemStatus({ code, message, details }: RpcError): Status {
  return boundedStatus(code, message, details);
}

/** Returns the error of one item from its status in the response of the batch `method`. */
export function fromItemStatus(status: Status, method: DescMethod): RpcError {
  return new RpcError(status.code, status.message, {
    details: unpackDetails(status),
    calledMethod: methodName(method),
  });
}
