import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { MethodInfo } from '../../call/call-context.ts';
import { methodPath } from '../../call/method-name.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { asBuffer } from '../../grpc-js/as-buffer.ts';

/** Encodes the requests of a method and decodes its responses. */
export interface Codec {
  readonly path: string;
  /** @throws RpcError INVALID_ARGUMENT for a message that cannot be encoded. */
  readonly encode: (init: Message) => Buffer;
  readonly decode: (bytes: Buffer) => Message;
}

export function codecOf({ desc, name }: MethodInfo): Codec {
  return {
    path: methodPath(desc),
    encode: (init) => {
      try {
        return asBuffer(toBinary(desc.input, create(desc.input, init)));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : 'the value is not a message';
        const message = `cannot encode the ${desc.input.typeName} of ${name}: ${reason}`;
        throw new RpcError(Code.INVALID_ARGUMENT, message, { calledMethod: name, cause });
      }
    },
    decode: (bytes) => fromBinary(desc.output, bytes),
  };
}

/** The serializer of grpc-js for a request that is already encoded. */
export const encoded = (bytes: Buffer) => bytes;
