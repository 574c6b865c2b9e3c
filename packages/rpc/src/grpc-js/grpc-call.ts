import type { ServerDuplexStream } from '@grpc/grpc-js';

/** Every method is registered as one with a stream of requests, whose handler grpc-js calls when the headers have come. */
export type GrpcCall = ServerDuplexStream<Uint8Array, Uint8Array>;
