import { ChannelCredentials, type Client, makeGenericClientConstructor } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';

const HealthClient = makeGenericClientConstructor(healthService, 'Health');
const defaultTimeoutMs = 1000;

type Check = (
  request: { service: string },
  options: { deadline: number },
  callback: (error: Error | null, response?: { status: string }) => void,
) => void;

export interface HealthQuestion {
  /** A service's full name, or `liveness`; the server as a whole when absent. */
  readonly service?: string | undefined;
  /** TLS; plain text when absent. */
  readonly credentials?: ChannelCredentials | undefined;
  /** How long to wait for the answer; a second when absent. */
  readonly timeoutMs?: number | undefined;
}

/** Whether the server there says that it is SERVING. Whatever goes wrong until the timeout is a no. */
export function checkHealth(target: string, question: HealthQuestion = {}): Promise<boolean> {
  return askHealth(target, question).then(
    (status) => status === 'SERVING',
    () => false,
  );
}

/** What the server there says of its health: `SERVING`, `NOT_SERVING`. Rejects with what went wrong until the timeout. */
export function askHealth(
  target: string,
  {
    service = '',
    credentials = ChannelCredentials.createInsecure(),
    timeoutMs = defaultTimeoutMs,
  }: HealthQuestion = {},
): Promise<string> {
  // Not through a proxy of the environment: it is this server that is asked.
  const options = { 'grpc.enable_http_proxy': 0 };
  const client = new HealthClient(target, credentials, options) as unknown as Client & { check: Check };
  return new Promise<string>((resolve, reject) => {
    client.check({ service }, { deadline: Date.now() + timeoutMs }, (error, response) => {
      if (response) resolve(response.status);
      else reject(error);
    });
  }).finally(() => client.close());
}
