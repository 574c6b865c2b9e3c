import { constants } from 'node:http2';
import type { GrpcCall } from './grpc-call.ts';
import { discardReceived, http2StreamOf } from './internals/grpc-js-internals.ts';
import { incomingStreamOf } from './sessions/incoming-streams.ts';

/**
 * Answers a request that is not a gRPC request with its HTTP status, and returns true. grpc-js would serve it. Such a
 * request is logged and measured like every call that does not reach its handler: see `reportUnhandledCalls`.
 */
export function rejectNonGrpc(grpcCall: GrpcCall): boolean {
  const stream = http2StreamOf(grpcCall.inner);
  const httpStatus = incomingStreamOf(stream)?.httpRejection;
  if (httpStatus === undefined) return false;
  discardReceived(grpcCall.inner);
  // grpc-js sends a status of its own at the deadline, and for a malformed one. It would throw, because headers have been sent.
  grpcCall.inner.sendStatus = () => {};
  stream.respond({ ':status': httpStatus }, { endStream: true });
  // The answer leaves in the next turn of the event loop. Then the rest of the request is reset.
  setImmediate(() => setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR)));
  return true;
}
