import { type experimental, Metadata, status } from '@grpc/grpc-js';

const timeoutMs = 1000;

/**
 * Returns the status code of a health check on a connection: DEADLINE_EXCEEDED if the server does not answer within a second,
 * UNAVAILABLE if the connection is lost. Every other code is an answer, also that the server has no health checks.
 */
export function healthCheckCode(connection: experimental.SubchannelInterface): Promise<status> {
  const channel = connection.getRealSubchannel().getChannel();
  const deadline = Date.now() + timeoutMs;
  const call = channel.createCall('/grpc.health.v1.Health/Check', deadline, null, null, null);
  return new Promise((resolve) => {
    const started: unknown = call.start(new Metadata(), {
      onReceiveMetadata: () => {},
      onReceiveMessage: () => {},
      onReceiveStatus: ({ code }) => resolve(code),
    });
    // Its type hides a promise, which rejects on Node 24.14 if the connection was destroyed and has not emitted `close` yet.
    Promise.resolve(started).catch(() => resolve(status.UNAVAILABLE));
    // An empty HealthCheckRequest.
    call.sendMessageWithContext({}, Buffer.of());
    call.halfClose();
    call.startRead();
  });
}
