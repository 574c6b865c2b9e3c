import { databaseStatus } from '@acme/postgres/errors';
import { Code, errorInfo, resourceInfo, RpcError } from '@acme/rpc/errors';
import { WidgetError, type WidgetProblem } from './widget.ts';

const domain = 'depot.v1';

/** Returns the status of an error, or undefined for an unknown error. clerk_service.proto documents the statuses. */
export function toStatus(error: unknown): RpcError | undefined {
  return error instanceof WidgetError ? problemStatus(error.problem) : databaseStatus(error);
}

function problemStatus(problem: WidgetProblem): RpcError {
  switch (problem.kind) {
    case 'WIDGET_NOT_FOUND':
      return new RpcError(Code.NOT_FOUND, `there is no widget ${problem.id}`, {
        details: [errorInfo(domain, problem.kind), resourceInfo('depot.v1/Widget', problem.id)],
      });
    case 'REQUEST_ID_REUSED':
      return new RpcError(
        Code.FAILED_PRECONDITION,
        `request_id ${problem.requestId} was used for a widget with other content: use a new request_id`,
        { details: [errorInfo(domain, problem.kind, { widget_id: problem.widgetId })] },
      );
  }
}
