import { EventEmitter } from 'node:events';
import type { DescMethod } from '@bufbuild/protobuf';
import type { Server } from '@grpc/grpc-js';
import type { Interceptor, ServiceImplementation } from '../../call/handler.ts';
import type { Policy } from '../../call/policy.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../gen/grpc/health/v1/health_pb.ts';
import { addService } from '../../grpc-js/add-service.ts';
import { firstEvent } from '../../grpc-js/first-event.ts';
import type { ServerCallOptions } from '../../incoming/incoming-call.ts';

/** The health of a server and its services (gRPC health checking protocol). */
export interface Health {
  /** Sets whether the server and its services are ready for calls. */
  setReady(ready: boolean): void;
  addToServer(server: Server, interceptors: readonly Interceptor[], options: ServerCallOptions): void;
}

/** A service name that is always SERVING, for liveness probes: a process that cannot answer is restarted. */
const livenessName = 'liveness';

const secondMs = 1000;
const dayMs = 24 * 60 * 60 * secondMs;

/**
 * Creates the health service. `""` and the services' names report readiness and start as NOT_SERVING. `liveness` reports
 * that the process answers.
 */
export function createHealth(services: readonly string[]): Health {
  const readinessNames = ['', ...services];
  const statuses = new Map<string, ServingStatus>([[livenessName, ServingStatus.SERVING]]);
  const changes = new EventEmitter().setMaxListeners(0); // one listener for each open watch

  const setReady = (ready: boolean) => {
    const status = ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    if (statuses.get('') === status) return;
    for (const name of readinessNames) statuses.set(name, status);
    changes.emit('change');
  };
  setReady(false);
  const implementation: ServiceImplementation<typeof HealthService> = {
    check: async ({ service }) => {
      const status = statuses.get(service);
      // The message omits the name, whose length the caller chooses, because it is sent in a header.
      if (status === undefined) throw new RpcError(Code.NOT_FOUND, 'unknown service');
      return { status };
    },
    list: async () => ({
      statuses: Object.fromEntries(Array.from(statuses, ([name, status]) => [name, { status }])),
    }),
    async *watch({ service }, { signal }) {
      let sent: ServingStatus | undefined;
      for (;;) {
        const status = statuses.get(service) ?? ServingStatus.SERVICE_UNKNOWN;
        if (status === sent) await firstEvent(changes, ['change'], signal);
        else yield { status };
        sent = status;
      }
    },
  };
  return {
    setReady,
    addToServer: (server, interceptors, options) =>
      addService(server, HealthService, implementation, interceptors, { ...options, policies: healthPolicy }),
  };
}

/** Returns the policy of a health method. A watch may last as long as its connection, whose age is limited. */
function healthPolicy(method: DescMethod): Policy {
  const deadlineMs = method.methodKind === 'unary' ? 5 * secondMs : dayMs;
  return { deadlineMs, maxDeadlineMs: deadlineMs, scopes: [], maxRequestBytes: 1024 };
}
