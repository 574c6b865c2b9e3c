import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { methodPath } from '../call/method-name.ts';
import { ServerReflection } from '../gen/grpc/reflection/v1/reflection_pb.ts';
import type { ServerReflection as ServerReflectionV1Alpha } from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { asBuffer } from '../grpc-js/as-buffer.ts';

const input = ServerReflection.method.serverReflectionInfo.input;
const output = ServerReflection.method.serverReflectionInfo.output;

type Request = MessageInitShape<typeof input>;
export type Question = NonNullable<Request['messageRequest']>;

/** Opens a reflection stream of the version, and sends one request after the other. */
export function openReflection(
  target: string,
  version: typeof ServerReflection | typeof ServerReflectionV1Alpha,
) {
  const client = new Client(target, credentials.createInsecure(), { 'grpc.enable_retries': 0 });
  // The messages of both versions have the same encoding.
  const stream: ClientDuplexStream<Request, ReturnType<typeof decode>> = client.makeBidiStreamRequest(
    methodPath(version.method.serverReflectionInfo),
    (request: Request) => asBuffer(toBinary(input, create(input, request))),
    decode,
  );
  const answers = stream[Symbol.asyncIterator]();
  return {
    /** Resolves with the next answer, or rejects with the stream's status. */
    next: async () => (await answers.next()).value,
    ask: async (question: Question) => {
      stream.write({ messageRequest: question });
      const { value } = await answers.next();
      return value.messageResponse;
    },
    [Symbol.dispose]: () => {
      stream.on('error', () => {}).cancel();
      client.close();
    },
  };
}

function decode(bytes: Buffer) {
  return fromBinary(output, bytes);
}

/** Returns the decoded files of the answer. Throws for an answer of another kind. */
export async function askForFiles(
  reflection: ReturnType<typeof openReflection>,
  question: Question,
): Promise<FileDescriptorProto[]> {
  const answer = await reflection.ask(question);
  if (answer.case !== 'fileDescriptorResponse') throw new Error(`answered by ${answer.case}`);
  return answer.value.fileDescriptorProto.map((bytes: Uint8Array) =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  );
}
