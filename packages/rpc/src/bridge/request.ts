import type { DescMessage, Message } from '@bufbuild/protobuf';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { MethodInfo } from '../call-context.ts';
import { Code, RpcError } from '../errors.ts';
import { maxMessageBytes } from '../server/bounds.ts';
import { decodeRequest } from './decode-request.ts';
import { decompress } from './decompress.ts';
import { receiveThrough } from './grpc-js-internals.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { OpenServerCall } from './server-call.ts';
import { readMessages } from './server-stream.ts';

type GrpcDuplex = ServerDuplexStream<Uint8Array, Uint8Array>;

/** What stands before each message: a flag and its length. */
const frameBytes = 5;

/**
 * The way to a call's request. Nothing of it is read, and so nothing is buffered beyond HTTP/2's window of 64 KiB,
 * before the first call of the function that this returns; from then on its bytes are counted.
 */
export function openRequest(
  method: MethodInfo,
  grpcCall: GrpcDuplex,
  call: OpenServerCall,
  held: HeldBytes,
): OpenServerCall['request'] {
  const { input, methodKind } = method.desc;
  const isStream = methodKind === 'client_streaming' || methodKind === 'bidi_streaming';
  let request: Promise<Message> | AsyncIterable<Message> | undefined;
  const open = () => {
    countReceived(method, grpcCall, call, held);
    return isStream ? decodeEach(input, grpcCall, call, held) : readOnly(input, grpcCall, call, held);
  };
  return () => (request ??= open());
}

/** Counts what comes for the call, decompresses it, and aborts the call for what is too long or cannot be read. */
function countReceived(
  { policy }: MethodInfo,
  grpcCall: GrpcDuplex,
  call: OpenServerCall,
  held: HeldBytes,
): void {
  const limitBytes = policy.maxRequestBytes ?? maxMessageBytes;
  receiveThrough(grpcCall, {
    maxMessageBytes: limitBytes,
    onBytes: (sizeBytes) => held.hold(call, sizeBytes),
    onOversized: () =>
      call.abort(new RpcError(Code.RESOURCE_EXHAUSTED, `a request message takes over ${limitBytes} bytes`)),
    decompress: async (content, encoding) => {
      try {
        const bytes = await decompress(content, encoding, {
          caller: call.caller,
          maxMessageBytes: limitBytes,
        });
        held.hold(call, bytes.length);
        held.release(call, content.length);
        return bytes;
      } catch (error) {
        call.abort(error as RpcError);
        // The status is the chain's to send: grpc-js must not be told.
        return await new Promise<never>(() => {});
      }
    },
  });
}

/** Reads the one message of a call that takes one, and the end of its stream. */
async function readOnly(
  schema: DescMessage,
  grpcCall: GrpcDuplex,
  call: OpenServerCall,
  held: HeldBytes,
): Promise<Message> {
  const bytes = await new Promise<Uint8Array>((resolve, reject) => {
    let only: Uint8Array | undefined;
    call.onAbort(reject);
    grpcCall.on('data', (message: Uint8Array) => {
      if (only) reject(new RpcError(Code.UNIMPLEMENTED, 'a second request message came for a unary request'));
      only = message;
    });
    grpcCall.on('end', () => {
      if (only) resolve(only);
      else reject(new RpcError(Code.UNIMPLEMENTED, 'no request message came'));
    });
  });
  const { message, sizeBytes } = decodeRequest(schema, bytes);
  held.hold(call, sizeBytes);
  return message;
}

/** Each message is released when the next one is asked for. */
async function* decodeEach(
  schema: DescMessage,
  grpcCall: GrpcDuplex,
  call: OpenServerCall,
  held: HeldBytes,
): AsyncGenerator<Message, void> {
  for await (const bytes of readMessages(grpcCall, call.signal)) {
    const { message, sizeBytes } = decodeRequest(schema, bytes);
    held.hold(call, sizeBytes);
    yield message;
    held.release(call, bytes.length + frameBytes + sizeBytes);
  }
}
