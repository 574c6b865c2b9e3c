import { readFile } from 'node:fs/promises';
import { file_buf_validate_validate as printed } from '@acme/rpc/gen/buf/validate/validate_pb';
import type { DescFile } from '@bufbuild/protobuf';
import { file_buf_validate_validate as original } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { expect, test } from 'vitest';
import { printValidateProto, validateProtoFile } from './print-validate-proto.ts';

/** Returns every name, number and type of a file. */
function shapeOf(file: DescFile) {
  const field = ({
    name,
    number,
    fieldKind,
    scalar,
    message,
    enum: values,
  }: DescFile['extensions'][number] | DescFile['messages'][number]['fields'][number]) => ({
    name,
    number,
    fieldKind,
    type: message?.typeName ?? values?.typeName ?? scalar,
  });
  return {
    extensions: file.extensions.map((each) => ({ ...field(each), extends: each.extendee.typeName })),
    enums: file.enums.map((each) => [each.typeName, each.values.map(({ name, number }) => [name, number])]),
    messages: file.messages.map((each) => [
      each.typeName,
      each.fields.map(field),
      each.oneofs.map(({ name, fields }) => [name, fields.map((member) => member.name)]),
    ]),
  };
}

test("the committed validate.proto is that of protovalidate's package", async () => {
  const committed = await readFile(new URL(`../../../../${validateProtoFile}`, import.meta.url), 'utf8');
  expect(committed).toBe(printValidateProto());
});

test('the printed file has every name, number and type of the original', () => {
  expect(shapeOf(printed)).toEqual(shapeOf(original));
  expect(printed.messages.length).toBeGreaterThan(20);
});
