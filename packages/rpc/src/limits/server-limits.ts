import type { ServerOptions } from '@grpc/grpc-js';

const secondMs = 1000;
const minuteMs = 60 * secondMs;

/** Default maximum size of a message in either direction. */
export const defaultMaxMessageBytes = 1024 * 1024;

/**
 * Limits of every server besides those of its messages. grpc-js's defaults never close silent sockets, endless streams, or
 * connections without keepalive.
 */
export const serverLimits: ServerOptions = {
  'grpc.max_concurrent_streams': 1000,
  'grpc.keepalive_time_ms': 20 * secondMs,
  'grpc.keepalive_timeout_ms': 10 * secondMs,
  'grpc.max_connection_idle_ms': 15 * minuteMs,
  // Clients in other languages find new replicas when they reconnect.
  'grpc.max_connection_age_ms': 30 * minuteMs,
  'grpc.max_connection_age_grace_ms': 30 * secondMs,
};
