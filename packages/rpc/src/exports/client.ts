export { createCallBatcher } from '../client/call-batcher.ts';
export {
  type CircuitBreaker,
  CircuitOpenError,
  type CircuitState,
  createCircuitBreaker,
} from '../client/circuit-breaker.ts';
export { type Client, type CreateClientOptions, createClient } from '../client/create-client.ts';
export { tokenFile } from '../client/credentials/token-file.ts';
export { checkHealth } from '../client/health/check-health.ts';
export { readProbeConfig } from '../client/health/probe-config.ts';
export type { CallOptions } from '../client/outgoing-call/call-options.ts';
export { readTarget } from '../client/read-target.ts';
export {
  type Resolution,
  type Resolve,
  type ResolverCallbacks,
  registerResolver,
} from '../client/register-resolver.ts';
export { resumingWatch } from '../client/resuming-watch.ts';
export { type ChannelCredentials, channelCredentials } from '../tls/channel-credentials.ts';
