import { type Attributes, type Histogram, metrics } from '@opentelemetry/api';
import type { Protocol } from '../call/call-context.ts';
import { type Code, codeName, RpcError } from '../errors/rpc-error.ts';

/** Name of the tracer and the meter. */
export const instrumentationScope = '@acme/rpc';

/** Span attribute with the number of previous attempts, absent on the first attempt (gRFC A72). */
export const previousAttemptsAttribute = 'previous-rpc-attempts';

/**
 * Values of `rpc.system.name`. The semantic conventions have none for gRPC-Web, and none for a request of the web port that
 * is no call.
 */
const systemNames: Readonly<Record<Protocol | 'http', string>> = {
  grpc: 'grpc',
  connect: 'connectrpc',
  grpc_web: 'grpc_web',
  http: 'http',
};

/** Returns the attributes of a method's spans and metrics (OpenTelemetry's semantic conventions for gRPC, 1.45). */
export function methodAttributes(name: string, protocol: Protocol | 'http' = 'grpc'): Attributes {
  return { 'rpc.system.name': systemNames[protocol], 'rpc.method': name };
}

/** Returns the attributes of a call's outcome. The caller decides whether the code is an error on its side. */
export function outcomeAttributes(code: Code, isError: boolean): Attributes {
  const name = codeName(code);
  return isError ? { 'rpc.status_code': name, 'error.type': name } : { 'rpc.status_code': name };
}

/** Returns the `error.type` of a failure within a call: the code of a status, else the name of the error. */
export function errorType(error: unknown): string {
  if (error instanceof RpcError) return codeName(error.code);
  return error instanceof Error ? error.name : typeof error;
}

/**
 * Returns the histogram `rpc.server.call.duration` or `rpc.client.call.duration` in seconds, with the buckets of the
 * semantic conventions.
 */
export function durationHistogram(side: 'server' | 'client'): Histogram {
  return metrics.getMeter(instrumentationScope).createHistogram(`rpc.${side}.call.duration`, {
    unit: 's',
    description: `Duration of ${side === 'server' ? 'incoming' : 'outgoing'} calls.`,
    advice: {
      explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    },
  });
}

/** Returns `server.address` and `server.port` of a gRPC target such as `dns:///inventory:50052` or `unix:/run/x.sock`. */
export function serverAttributes(target: string): Attributes {
  const [, scheme, path = target] = /^([a-z][a-z0-9+.-]*):(?:\/\/[^/]*)?(?!\d+$)(.*)$/.exec(target) ?? [];
  if (scheme === 'unix') return { 'server.address': path };
  const [, host, port] = /^\/?\[?(.*?)\]?(?::(\d+))?$/.exec(path) ?? [];
  return { 'server.address': host ?? path, ...(port && { 'server.port': Number(port) }) };
}
