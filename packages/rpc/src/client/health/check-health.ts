import { ChannelCredentials, type Client, makeGenericClientConstructor } from '@grpc/grpc-js';

const defaultTimeoutMs = 1000;

type Check = (
  request: { service: string },
  options: { deadline: number },
  callback: (error: Error | null, response?: { status: string }) => void,
) => void;

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

/** Returns the health status of the server: `SERVING` or `NOT_SERVING`. Rejects with the error of a failed call. */
export async function healthStatus(
  target: string,
  {
    service = '',
    credentials = ChannelCredentials.createInsecure(),
    timeoutMs = defaultTimeoutMs,
  }: CheckHealthOptions = {},
): Promise<string> {
  // A proxy from the environment would answer for the server.
  const channelOptions = { 'grpc.enable_http_proxy': 0 };
  // Loaded for a check only: it parses its contract by protobufjs, for which every client would wait at its start.
  const { service: healthService } = await import('grpc-health-check');
  const HealthClient = makeGenericClientConstructor(healthService, 'Health');
  const client = new HealthClient(target, credentials, channelOptions) as unknown as Client & {
    check: Check;
  };
  return new Promise<string>((resolve, reject) => {
    client.check({ service }, { deadline: Date.now() + timeoutMs }, (error, response) => {
      if (response) resolve(response.status);
      else reject(error);
    });
  }).finally(() => client.close());
}
