import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ChannelCredentials, Client as GrpcClient } from '@grpc/grpc-js';
import { methodPath } from '../../call/method-name.ts';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../gen/grpc/health/v1/health_pb.ts';
import { asBuffer } from '../../grpc-js/as-buffer.ts';

const defaultTimeoutMs = 1000;

export interface CheckHealthOptions {
  /** A service's full name, or `liveness`. Default: the server as a whole. */
  readonly service?: string | undefined;
  /** TLS. Default: plain text. */
  readonly credentials?: ChannelCredentials | undefined;
  /** Maximum duration of the check. Default: 1 s. */
  readonly timeoutMs?: number | undefined;
}

/** Returns whether the server is SERVING (gRPC's health checking protocol). Any failure counts as not serving. */
export function checkHealth(target: string, options: CheckHealthOptions = {}): Promise<boolean> {
  return healthStatus(target, options).then(
    (status) => status === 'SERVING',
    () => false,
  );
}

/**
 * Returns the health status of the server: `SERVING` or `NOT_SERVING`. Rejects with the error of a failed call. It has no
 * part of a typed client, because a container's health check starts a process for each call.
 */
export async function healthStatus(
  target: string,
  {
    service = '',
    credentials = ChannelCredentials.createInsecure(),
    timeoutMs = defaultTimeoutMs,
  }: CheckHealthOptions = {},
): Promise<string> {
  // A proxy from the environment would answer for the server.
  const client = new GrpcClient(target, credentials, { 'grpc.enable_http_proxy': 0 });
  try {
    const status = await new Promise<ServingStatus>((resolve, reject) => {
      client.makeUnaryRequest(
        methodPath(Health.method.check),
        (name: string) =>
          asBuffer(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service: name }))),
        (bytes) => fromBinary(HealthCheckResponseSchema, bytes).status,
        service,
        { deadline: Date.now() + timeoutMs },
        (error, received) => (error ? reject(error) : resolve(received ?? ServingStatus.UNKNOWN)),
      );
    });
    return nameOf(status);
  } finally {
    client.close();
  }
}

/** An unknown number is a status of a newer version of the protocol. */
function nameOf(status: ServingStatus): string {
  const known = Object.entries(ServingStatus).find(([, number]) => number === status);
  return known?.[0] ?? `STATUS_${status}`;
}
