import { EventEmitter } from 'node:events';
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '@acme/gen/grpc/health/v1/health_pb';
import type { DescMethod } from '@bufbuild/protobuf';
import type { Server } from '@grpc/grpc-js';
import type { Interceptor, ServiceImplementation } from '../../call/handler.ts';
import type { Policy } from '../../call/policy.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import type { CallOptions } from '../../grpc-js/server-call.ts';
import { addService } from '../../grpc-js/service.ts';
import { firstEvent } from '../../grpc-js/stream-wait.ts';

/** The health of a server and its services (gRPC's health checking protocol). */
export interface Health {
  /** Sets whether the server and its services are ready for calls. */
  setReady(ready: boolean): void;
  addToServer(server: Server, interceptors: readonly Interceptor[], options: CallOptions): void;
}

/** A name that is SERVING for as long as the process can answer: for a liveness probe, which restarts what fails it. */
const livenessName = 'liveness';

const secondMs = 1000;
const dayMs = 24 * 60 * 60 * secondMs;

/** Creates health that starts as NOT_SERVING. `""` and the services' names are readiness, `liveness` is the process. */
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
      // Without the name: a caller chooses its length, and the text travels in a header.
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

/** A watch is as long as its connection, whose age is limited; a check is answered at once. */
function healthPolicy(method: DescMethod): Policy {
  const deadlineMs = method.methodKind === 'unary' ? 5 * secondMs : dayMs;
  return { deadlineMs, maxDeadlineMs: deadlineMs, scopes: [], maxRequestBytes: 1024 };
}
