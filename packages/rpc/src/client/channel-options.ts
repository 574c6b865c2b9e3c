import { type ChannelOptions, compressionAlgorithms } from '@grpc/grpc-js';

/** Default limit of a message in both directions. Servers in most languages accept 4 MiB by default. */
export const defaultMaxMessageBytes = 4 * 1024 * 1024;

/** The channel options that a client chooses. Clients with different ones share connections all the same. */
export interface ChosenChannelOptions {
  /** Maximum size of a response message, after its decompression. */
  readonly maxResponseBytes: number;
  readonly compression: 'gzip' | 'deflate' | undefined;
}

/** Returns the options of a client's channel. `connectionOptions` lists those that connections do not depend on. */
export function channelOptionsOf({ maxResponseBytes, compression }: ChosenChannelOptions): ChannelOptions {
  return {
    ...channelOptions,
    'grpc.max_receive_message_length': maxResponseBytes,
    ...(compression && { 'grpc.default_compression_algorithm': compressionAlgorithms[compression] }),
  };
}

/**
 * Options of every channel besides its service config and what a client chooses. They are the same for all clients,
 * because channels to a target share connections only if their options are equal.
 */
export const channelOptions: ChannelOptions = {
  // Otherwise a DNS TXT record would replace the service config that is derived from the contract.
  'grpc.service_config_disable_resolution': 1,
  // Otherwise http_proxy would send the calls, and the tokens in them, to the proxy in plain text.
  'grpc.enable_http_proxy': 0,
  // Detects a vanished peer within 25 s, even without calls (gRFC A8). Servers of this package ping at the same interval,
  // and gRPC's guide sets a minimum of 10 s. grpc-js servers accept any number of pings; servers in other languages must
  // permit these (MinTime, PermitWithoutStream).
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  // The defaults, 1 s to 120 s, leave a recovered server without calls for many seconds.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
};
