import type { Readable } from 'node:stream';
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';

const prefixBytes = 4;

/** Reads the suite's messages: each is preceded by its length, 32 bits in network byte order. */
export async function* readSizedMessages<Desc extends DescMessage>(
  schema: Desc,
  input: Readable,
): AsyncGenerator<MessageShape<Desc>, void> {
  let buffered = Buffer.alloc(0);
  for await (const chunk of input as AsyncIterable<Buffer>) {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= prefixBytes) {
      const end = prefixBytes + buffered.readUInt32BE();
      if (buffered.length < end) break;
      yield fromBinary(schema, buffered.subarray(prefixBytes, end));
      buffered = buffered.subarray(end);
    }
  }
}

/** Writes a message to stdout in the same form. */
export function writeSizedMessage<Desc extends DescMessage>(
  schema: Desc,
  message: MessageInitShape<Desc>,
): void {
  const bytes = toBinary(schema, create(schema, message));
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(bytes.length);
  process.stdout.write(Buffer.concat([prefix, bytes]));
}
