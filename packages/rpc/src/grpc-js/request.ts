import type { DescMessage, Message } from '@bufbuild/protobuf';
import type { MethodInfo } from '../call/call-context.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import type { GrpcCall } from './grpc-call.ts';
import { receiveThrough } from './internals/grpc-js-internals.ts';
import { decodeRequest } from './messages/decode-request.ts';
import type { OpenServerCall } from './server-call.ts';
import { readMessages } from './server-stream.ts';

/** What stands before each message: a flag and its length. */
const frameBytes = 5;

/**
 * Opens a call's request: lets its bytes be counted and bounded, and gives the message, or the stream of them. Before,
 * nothing is read of it, and so nothing is buffered beyond HTTP/2's window of 64 KiB.
 */
export function openRequest(
  { desc }: MethodInfo,
  grpcCall: GrpcCall,
  call: OpenServerCall,
): Promise<Message> | AsyncIterable<Message> {
  receiveThrough(grpcCall, call);
  const isStream = desc.methodKind === 'client_streaming' || desc.methodKind === 'bidi_streaming';
  return isStream ? decodeEach(desc.input, grpcCall, call) : readOnly(desc.input, grpcCall, call);
}

/** Reads the one message of a call that takes one, and the end of its stream. */
function readOnly(schema: DescMessage, grpcCall: GrpcCall, call: OpenServerCall): Promise<Message> {
  return new Promise((resolve, reject) => {
    let only: Uint8Array | undefined;
    call.onAbort(reject);
    grpcCall.on('data', (message: Uint8Array) => {
      if (only) reject(new RpcError(Code.UNIMPLEMENTED, 'a second request message came for a unary request'));
      only = message;
    });
    grpcCall.on('end', () => {
      try {
        if (!only) throw new RpcError(Code.UNIMPLEMENTED, 'no request message came');
        const { message, sizeBytes } = decodeRequest(schema, only);
        call.hold(sizeBytes);
        resolve(message);
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** Each message is released when the next one is asked for. */
async function* decodeEach(
  schema: DescMessage,
  grpcCall: GrpcCall,
  call: OpenServerCall,
): AsyncGenerator<Message, void> {
  for await (const bytes of readMessages(grpcCall, call.signal)) {
    const { message, sizeBytes } = decodeRequest(schema, bytes);
    call.hold(sizeBytes);
    yield message;
    call.release(bytes.length + frameBytes + sizeBytes);
    call.messageTaken();
  }
}
