import {
  type handleServerStreamingCall,
  type Server,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

/** The health of a server and its services (gRPC's health checking protocol). */
export interface Health {
  /** Says whether the server and its services are ready for calls. */
  setReady(ready: boolean): void;
  addToServer(server: Server): void;
  /** Ends every Watch with UNAVAILABLE: a watch never ends by itself, and a server with one cannot shut down. */
  endWatches(): void;
}

/** A name that is SERVING for as long as the process can answer: for a liveness probe, which restarts what fails it. */
const livenessName = 'liveness';

/** Health that starts as NOT_SERVING. `""` and the services' names are readiness, `liveness` is the process. */
export function createHealth(services: readonly string[]): Health {
  const names = ['', ...services];
  const health = new HealthImplementation({ [livenessName]: 'SERVING' });
  const watches = new Set<ServerWritableStream<unknown, unknown>>();
  const setReady = (ready: boolean) => {
    for (const name of names) health.setStatus(name, ready ? 'SERVING' : 'NOT_SERVING');
  };
  setReady(false);
  return {
    setReady,
    endWatches: () => {
      for (const watch of watches)
        watch.emit('error', { code: status.UNAVAILABLE, details: 'the server is shutting down' });
    },
    addToServer: (server) =>
      health.addToServer({
        addService: (definition, handlers) => {
          const watch = handlers.watch as handleServerStreamingCall<unknown, unknown>;
          const trackedWatch: typeof watch = (call) => {
            watches.add(call);
            call.once('close', () => watches.delete(call));
            watch(call);
          };
          server.addService(definition, { ...handlers, watch: trackedWatch });
        },
      }),
  };
}
