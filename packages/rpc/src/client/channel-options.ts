import type { ChannelOptions } from '@grpc/grpc-js';

/**
 * What every channel of ours has, beside its service config. They are the same for all clients: channels of a target
 * whose options differ do not share their connections.
 */
export const channelOptions: ChannelOptions = {
  // Otherwise a TXT record would replace the config that is derived from the contract.
  'grpc.service_config_disable_resolution': 1,
  // Otherwise http_proxy would send the calls, and the tokens in them, to the proxy in plain text.
  'grpc.enable_http_proxy': 0,
  // gRFC A8. A peer that has vanished without a word is noticed within 25 s, also by a client that makes no call. It is
  // the server's own interval, and above the 10 s that gRPC's guide sets as the least. grpc-js's servers take any
  // number of pings; those of other languages want theirs configured to permit these (MinTime, PermitWithoutStream).
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  // The defaults, 1 s to 120 s, leave a recovered server without calls for seconds.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // The default, 30 s, is longer than it takes to replace all replicas: their names would lead to nobody for a while.
  'grpc.dns_min_time_between_resolutions_ms': 5_000,
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  // Unlimited by default. What servers accept by default, in most languages.
  'grpc.max_send_message_length': 4 * 1024 * 1024,
};
