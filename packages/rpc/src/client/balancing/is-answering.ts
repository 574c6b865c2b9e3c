import { ChannelCredentials, Client, type experimental, status } from '@grpc/grpc-js';

const timeoutMs = 1000;

/** Codes of a check that got no answer. */
const silentCodes: readonly (status | undefined)[] = [status.DEADLINE_EXCEEDED, status.UNAVAILABLE];

/** An empty HealthCheckRequest, and a response that is not read. */
const asIs = (bytes: Buffer) => bytes;

/**
 * Returns whether the server of a connection answers a health check within a second. Any answer counts, also that it
 * serves no health checks.
 */
export function isAnswering(connection: experimental.SubchannelInterface): Promise<boolean> {
  const channelOverride = connection.getRealSubchannel().getChannel();
  const client = new Client('', ChannelCredentials.createInsecure(), { channelOverride });
  return new Promise((resolve) =>
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      asIs,
      asIs,
      Buffer.of(),
      { deadline: Date.now() + timeoutMs },
      (error) => resolve(!silentCodes.includes(error?.code)),
    ),
  );
}
