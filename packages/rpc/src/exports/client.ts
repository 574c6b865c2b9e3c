// Calls: typed clients, their credentials, and what runs around their calls.
export type { Balancing } from '../client/balancing/balancing.ts';
export { type CallBatcherOptions, createCallBatcher } from '../client/call-batcher.ts';
export {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  CircuitOpenError,
  type CircuitState,
  createCircuitBreaker,
} from '../client/circuit-breaker.ts';
export { type Client, type CreateClientOptions, createClient } from '../client/create-client.ts';
export { cachedToken, type ExpiringToken, type TokenIssuer } from '../client/credentials/cached-token.ts';
export { tokenFile } from '../client/credentials/token-file.ts';
export type { TokenSource } from '../client/credentials/token-source.ts';
export { type CheckHealthOptions, checkHealth, healthStatus } from '../client/health/check-health.ts';
export { type ProbeConfig, readProbeConfig } from '../client/health/probe-config.ts';
export type { Hedging } from '../client/hedging.ts';
export type { CallOptions, OutgoingMetadata } from '../client/outgoing-call/call-options.ts';
export { readOptionalTarget, readTarget } from '../client/read-target.ts';
export type { Resolution, Resolve, ResolverCallbacks } from '../client/resolving/channel-resolver.ts';
export { registerResolver } from '../client/resolving/register-resolver.ts';
export { type ResumingWatchOptions, resumingWatch } from '../client/resuming-watch.ts';
export { serviceConfigOf } from '../client/service-config.ts';
export { type ChannelCredentials, channelCredentials } from '../tls/channel-credentials.ts';
export { readTls } from '../tls/read-tls.ts';
export type { TlsConfig, TlsOptions } from '../tls/tls-files.ts';
