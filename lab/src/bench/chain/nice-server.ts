// nice-grpc without middleware, or with `full`: its OpenTelemetry middleware, and logging as in its documentation.
import { createServer, type ServerMiddleware, type ServiceImplementation } from 'nice-grpc';
import { openTelemetryServerMiddleware } from 'nice-grpc-opentelemetry';
import { pino } from 'pino';
import { niceDefinition } from './grpcjs-method.ts';
import { startNullTelemetry } from './null-telemetry.ts';
import { stockAnswer } from './stock-answer.ts';

const log = pino();
const logging: ServerMiddleware = async function* (call, context) {
  const startMs = performance.now();
  const answer = yield* call.next(call.request, context);
  log.info(
    { method: call.method.path, peer: context.peer, duration_ms: performance.now() - startMs },
    'call',
  );
  return answer;
};

const full = process.argv[2] === 'full';
if (full) startNullTelemetry();
const server = full ? createServer().use(openTelemetryServerMiddleware()).use(logging) : createServer();
const implementation: ServiceImplementation<typeof niceDefinition> = {
  getStock: async ({ sku }) => stockAnswer(sku),
};
server.add(niceDefinition, implementation);
process.send?.({ port: await server.listen('127.0.0.1:0') });
