import { serverLimits } from '../limits/server-limits.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;

/** Limits of the connections of a web port. Those of the gRPC port apply where they exist there. */
export interface WebLimits {
  /**
   * Number of connections above which further ones are closed at once. Addresses with less than their share are admitted up
   * to 1.25 times the limit.
   */
  readonly maxConnections: number;
  /** Time for a TLS handshake, and after it for the first bytes of the protocol. */
  readonly handshakeTimeoutMs: number;
  /** Time for the headers of an HTTP/1.1 request, from its first byte. */
  readonly headersTimeoutMs: number;
  /** Time for a whole HTTP/1.1 request. The deadline of a call is shorter for nearly all methods. */
  readonly requestTimeoutMs: number;
  /** Time between two requests of an HTTP/1.1 connection. Longer than the minute for which most proxies keep one. */
  readonly keepAliveTimeoutMs: number;
  /** Time after which an HTTP/2 connection without calls is closed. */
  readonly maxIdleMs: number;
  /** Age at which a connection is closed, so that clients find new replicas. */
  readonly maxAgeMs: number;
  /** Time for the calls of an HTTP/2 connection that has reached its age. */
  readonly maxAgeGraceMs: number;
  /** Interval of pings on HTTP/2 connections. */
  readonly pingIntervalMs: number;
  /** Time for the answer to a ping. */
  readonly pingTimeoutMs: number;
  readonly maxConcurrentStreams: number;
}

export const webLimits: WebLimits = {
  maxConnections: 4000,
  handshakeTimeoutMs: 5 * secondMs,
  headersTimeoutMs: 10 * secondMs,
  requestTimeoutMs: 5 * minuteMs,
  keepAliveTimeoutMs: 75 * secondMs,
  maxIdleMs: limitOf('grpc.max_connection_idle_ms'),
  maxAgeMs: limitOf('grpc.max_connection_age_ms'),
  maxAgeGraceMs: limitOf('grpc.max_connection_age_grace_ms'),
  pingIntervalMs: limitOf('grpc.keepalive_time_ms'),
  pingTimeoutMs: limitOf('grpc.keepalive_timeout_ms'),
  maxConcurrentStreams: limitOf('grpc.max_concurrent_streams'),
};

function limitOf(name: keyof typeof serverLimits): number {
  return Number(serverLimits[name]);
}
