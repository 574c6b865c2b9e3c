import { type Client, credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

const HealthClient = makeGenericClientConstructor(service, 'Health');
const timeoutMs = 1000;

type Check = (
  request: { service: string },
  options: { deadline: number },
  callback: (error: Error | null, response?: { status: string }) => void,
) => void;

/** Whether the server there says that it is SERVING. Whatever goes wrong within a second is a no. */
export function checkHealth(target: string): Promise<boolean> {
  // Not through a proxy of the environment: it is this server that is asked.
  const options = { 'grpc.enable_http_proxy': 0 };
  const client = new HealthClient(target, credentials.createInsecure(), options) as unknown as Client & {
    check: Check;
  };
  return new Promise<boolean>((resolve) => {
    client.check({ service: '' }, { deadline: Date.now() + timeoutMs }, (error, response) =>
      resolve(!error && response?.status === 'SERVING'),
    );
  }).finally(() => client.close());
}
