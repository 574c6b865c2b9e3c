// <resource>
import { databaseStatus } from '@acme/postgres/errors';
import { Code, errorInfo, resourceInfo, RpcError } from '@acme/rpc/errors';
import { SparePartError, type SparePartProblem } from './spare-part.ts';

const domain = 'depot.v1';

/** Returns the status of an error, or undefined for an unknown error. front_desk_service.proto documents the statuses. */
export function toStatus(error: unknown): RpcError | undefined {
  return error instanceof SparePartError ? problemStatus(error.problem) : databaseStatus(error);
}

function problemStatus(problem: SparePartProblem): RpcError {
  switch (problem.kind) {
    // <get|change>
    case 'SPARE_PART_NOT_FOUND':
      return new RpcError(Code.NOT_FOUND, `there is no spare part ${problem.id}`, {
        details: [errorInfo(domain, problem.kind), resourceInfo('depot.v1/SparePart', problem.id)],
      });
    // </get|change>
    // <change>
    case 'STATE_NOT_ALLOWED':
      return new RpcError(
        Code.FAILED_PRECONDITION,
        `spare part ${problem.id} is ${problem.from}, and cannot become ${problem.to}`,
        { details: [errorInfo(domain, problem.kind, { spare_part_id: problem.id, state: problem.from })] },
      );
    case 'ETAG_MISMATCH':
      return new RpcError(Code.ABORTED, `spare part ${problem.id} has changed: read it again`, {
        details: [errorInfo(domain, problem.kind, { spare_part_id: problem.id })],
      });
    // </change>
    case 'REQUEST_ID_REUSED':
      return new RpcError(
        Code.FAILED_PRECONDITION,
        `request_id ${problem.requestId} was used for a spare part with other content: use a new request_id`,
        { details: [errorInfo(domain, problem.kind, { spare_part_id: problem.sparePartId })] },
      );
  }
}
// </resource>
