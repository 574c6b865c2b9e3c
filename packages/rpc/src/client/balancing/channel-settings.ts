import type { ChannelOptions } from '@grpc/grpc-js';

/** grpc-js sets this key on every call. */
export const acceptEncodingKey = 'grpc-accept-encoding';

const serviceConfigOption = 'grpc.service_config';
const maxResponseBytesOption = 'grpc.max_receive_message_length';
const compressionOption = 'grpc.default_compression_algorithm';

/** The limit of grpc-js for a channel without the option. */
const defaultMaxResponseBytes = 4 * 1024 * 1024;

/** Settings of a channel that a balancing policy applies to its calls. */
export interface ChannelSettings {
  readonly maxResponseBytes: number;
  /** Whether servers may compress responses. */
  readonly acceptsCompression: boolean;
}

export function channelSettings(options: ChannelOptions): ChannelSettings {
  return {
    maxResponseBytes: options[maxResponseBytesOption] ?? defaultMaxResponseBytes,
    acceptsCompression: options[compressionOption] !== undefined,
  };
}

/**
 * Returns the options of a channel that its connections depend on. grpc-js shares connections between channels to a target
 * whose options are equal. Without the service config, the limit and the compression, which differ between clients, all
 * clients of a target share them.
 */
export function connectionOptions(options: ChannelOptions): ChannelOptions {
  const {
    [serviceConfigOption]: _serviceConfig,
    [maxResponseBytesOption]: _maxResponseBytes,
    [compressionOption]: _compression,
    ...shared
  } = options;
  return shared;
}
