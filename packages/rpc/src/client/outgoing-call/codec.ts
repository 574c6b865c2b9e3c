import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { MethodInfo } from '../../call/call-context.ts';
import { methodPath } from '../../call/method-name.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { asBuffer } from '../../grpc-js/as-buffer.ts';

/** Encodes the requests of a method and decodes its responses. */
export interface Codec {
  readonly path: string;
  /** @throws RpcError INVALID_ARGUMENT for a message that cannot be encoded, RESOURCE_EXHAUSTED for one over the limit. */
  readonly encode: (init: Message) => Buffer;
  readonly decode: (bytes: Buffer) => Message;
}

export function codecOf(method: MethodInfo, maxRequestBytes: number): Codec {
  const { desc, name } = method;
  return {
    path: methodPath(desc),
    encode: (init) => {
      const bytes = encode(method, init);
      if (bytes.length <= maxRequestBytes) return asBuffer(bytes);
      const message = `a request of ${bytes.length} bytes for ${name} is over the limit of ${maxRequestBytes}: see maxRequestBytes of createClient`;
      throw new RpcError(Code.RESOURCE_EXHAUSTED, message, { calledMethod: name });
    },
    decode: (bytes) => fromBinary(desc.output, bytes),
  };
}

/** The serializer of grpc-js for a request that is already encoded. */
export const encoded = (bytes: Buffer) => bytes;

function encode({ desc, name }: MethodInfo, init: Message): Uint8Array {
  try {
    return toBinary(desc.input, create(desc.input, init));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'the value is not a message';
    const message = `cannot encode the ${desc.input.typeName} of ${name}: ${reason}`;
    throw new RpcError(Code.INVALID_ARGUMENT, message, { calledMethod: name, cause });
  }
}
