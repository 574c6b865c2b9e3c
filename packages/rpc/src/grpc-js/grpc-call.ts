import type { ServerDuplexStream } from '@grpc/grpc-js';

/**
 * A call of any kind. Every method is registered with a stream of requests, because grpc-js calls such a handler when the
 * headers arrive.
 */
export type GrpcCall = ServerDuplexStream<Uint8Array, Uint8Array>;
