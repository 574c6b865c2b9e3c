import type { ServerOptions } from '@grpc/grpc-js';

const secondMs = 1000;
const minuteMs = 60 * secondMs;

/** The most that a message may take, in bytes, either way. */
export const maxMessageBytes = 1024 * 1024;

/**
 * What every server of ours is bounded by. grpc-js's own defaults let silent sockets, endless streams and connections
 * without keepalive live for ever.
 */
export const serverBounds: ServerOptions = {
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': maxMessageBytes,
  'grpc.max_concurrent_streams': 1000,
  'grpc.keepalive_time_ms': 20 * secondMs,
  'grpc.keepalive_timeout_ms': 10 * secondMs,
  'grpc.max_connection_idle_ms': 15 * minuteMs,
  // Connections turn over, so that clients find new replicas.
  'grpc.max_connection_age_ms': 30 * minuteMs,
  'grpc.max_connection_age_grace_ms': 30 * secondMs,
};
