import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { Metadata } from '@grpc/grpc-js';
import type { MethodInfo } from '../call/call-context.ts';
import { hasRequestStream } from '../call/method-kind.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import type { GrpcCall, RequestReader } from './grpc-call.ts';
import { hasPartialMessage, http2StreamOf, receiveThrough } from './internals/grpc-js-internals.ts';
import { decodeRequest } from './messages/decode-request.ts';
import { isSupportedEncoding } from './messages/decompress.ts';
import type { GrpcServerCall } from './server-call.ts';
import { incomingStreamOf } from './sessions/incoming-streams.ts';

/** Size of the prefix of each message: a flag and the length. */
const frameBytes = 5;

/**
 * Starts to read a call's request, with its bytes counted and limited. Returns the message or the stream of messages.
 * Before this call nothing is buffered beyond HTTP/2's window of 64 KiB.
 *
 * @throws RpcError UNIMPLEMENTED for an unknown `grpc-encoding`, whether or not a message is compressed.
 */
export function openRequest(
  { desc }: MethodInfo,
  grpcCall: GrpcCall,
  call: GrpcServerCall,
): Promise<Message> | AsyncIterable<Message> {
  requireSupportedEncoding(grpcCall);
  receiveThrough(grpcCall.inner, call);
  return hasRequestStream(desc)
    ? decodeEach(desc.input, grpcCall, call)
    : readOnly(desc.input, grpcCall, call);
}

function requireSupportedEncoding(grpcCall: GrpcCall): void {
  const { encoding = 'identity' } = incomingStreamOf(http2StreamOf(grpcCall.inner)) ?? {};
  if (isSupportedEncoding(encoding)) return;
  // The answer must list the supported encodings (gRPC's compression protocol). grpc-js does so in headers only.
  grpcCall.sendMetadata(new Metadata());
  throw new RpcError(
    Code.UNIMPLEMENTED,
    'the grpc-encoding is not supported: send gzip, deflate or identity',
  );
}

function endsWithinMessage(): RpcError {
  return new RpcError(Code.INTERNAL, 'the request ends within a message');
}

/** Reads the single message of a request, up to the end of its stream. */
function readOnly(schema: DescMessage, grpcCall: GrpcCall, call: GrpcServerCall): Promise<Message> {
  return new Promise((resolve, reject) => {
    let only: Uint8Array | undefined;
    call.onAbort(reject);
    const onMessage = (message: Uint8Array) => {
      if (only) {
        // Reads no further: grpc-js hands over the thousands of messages of a packet one inside the other.
        reject(new RpcError(Code.UNIMPLEMENTED, 'a second request message came for a unary request'));
        return;
      }
      only = message;
      // A second message, if compressed, waits for this.
      call.onMessageRead();
      grpcCall.read(reader);
    };
    const onEnd = () => {
      if (!only || hasPartialMessage(grpcCall.inner)) {
        const error = hasPartialMessage(grpcCall.inner)
          ? endsWithinMessage()
          : new RpcError(Code.UNIMPLEMENTED, 'no request message came');
        // A reset ends the stream too, and aborts the call in the same turn of the event loop.
        setImmediate(() => reject(error));
        return;
      }
      try {
        const { message, sizeBytes } = decodeRequest(schema, only);
        call.hold(sizeBytes);
        resolve(message);
      } catch (error) {
        reject(error);
      }
    };
    const reader = { onMessage, onEnd };
    grpcCall.read(reader);
  });
}

/** Decodes each message, and releases it when the handler requests the next one. */
async function* decodeEach(
  schema: DescMessage,
  grpcCall: GrpcCall,
  call: GrpcServerCall,
): AsyncGenerator<Message, void> {
  for await (const bytes of readMessages(grpcCall, call)) {
    const { message, sizeBytes } = decodeRequest(schema, bytes);
    call.hold(sizeBytes);
    yield message;
    call.release(bytes.length + frameBytes + sizeBytes);
    call.onMessageRead();
  }
  if (hasPartialMessage(grpcCall.inner)) throw endsWithinMessage();
}

/**
 * Reads a call's messages until the caller half-closes. Throws the reason when the call is aborted.
 *
 * A grpc-js client that cancels or reaches its deadline half-closes first and resets in the next packet. Until that
 * packet arrives the stream looks complete, so an all-or-nothing handler must check the signal before it commits.
 */
async function* readMessages(grpcCall: GrpcCall, call: GrpcServerCall): AsyncGenerator<Uint8Array, void> {
  let pending = Promise.withResolvers<Uint8Array | undefined>();
  call.onAbort((reason) => {
    pending.promise.catch(() => {});
    pending.reject(reason);
  });
  const reader: RequestReader = {
    onMessage: (message) => pending.resolve(message),
    onEnd: () => pending.resolve(undefined),
  };
  grpcCall.read(reader);
  for (let message = await pending.promise; message; message = await pending.promise) {
    yield message;
    call.signal.throwIfAborted();
    pending = Promise.withResolvers();
    grpcCall.read(reader);
  }
  // A reset also ends the stream, and grpc-js closes the call a few ticks later. Without this turn of the event loop a
  // call that is cancelled half way would look complete.
  await nextTurn();
  call.signal.throwIfAborted();
}
