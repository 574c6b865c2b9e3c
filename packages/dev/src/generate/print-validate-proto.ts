import {
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescMessage,
  ScalarType,
} from '@bufbuild/protobuf';
import { file_buf_validate_validate as file } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

/** The printed file. */
export const validateProtoFile = 'packages/rpc/proto/buf/validate/validate.proto';

/**
 * Prints protovalidate's rules as the `buf/validate/validate.proto` that the contracts import.
 *
 * The npm package has no .proto, and a module of buf's registry would need the network for each lint. The package's
 * generated descriptor has every name, number and type, which is what compilers of other languages need. The CEL texts of
 * the standard rules are omitted, because every implementation of protovalidate has its own.
 */
export function printValidateProto(): string {
  const imports = file.dependencies.map((dependency) => `import "${dependency.name}.proto";`);
  const options = [
    `option go_package = "${file.proto.options?.goPackage}";`,
    `option java_multiple_files = true;`,
    `option java_outer_classname = "${file.proto.options?.javaOuterClassname}";`,
    `option java_package = "${file.proto.options?.javaPackage}";`,
  ];
  return [
    '// Printed by `npm run generate` from the descriptor in @bufbuild/protovalidate. Do not edit.',
    '// Copyright 2023-2026 Buf Technologies, Inc. Licensed under the Apache License, Version 2.0.',
    'syntax = "proto2";',
    `package ${file.proto.package};`,
    imports.join('\n'),
    options.join('\n'),
    ...file.extensions.map(printExtension),
    ...file.messages.map(printMessage),
    ...file.enums.map(printEnum),
  ]
    .join('\n\n')
    .concat('\n');
}

function printMessage(message: DescMessage): string {
  const fields = message.members.map((member) =>
    member.kind === 'oneof'
      ? `  oneof ${member.name} {\n${member.fields.map((field) => `    ${typeName(field)} ${fieldTail(field)}`).join('\n')}\n  }`
      : `  ${printField(member)}`,
  );
  const ranges = message.proto.extensionRange.map(
    ({ start, end }) => `  extensions ${start} to ${end === 2 ** 29 ? 'max' : end - 1};`,
  );
  return `message ${message.name} {\n${[...fields, ...ranges].join('\n')}\n}`;
}

function printEnum(desc: DescEnum): string {
  return `enum ${desc.name} {\n${desc.values.map((value) => `  ${value.name} = ${value.number};`).join('\n')}\n}`;
}

function printExtension(extension: DescExtension): string {
  return `extend ${extension.extendee.typeName} {\n  ${printField(extension)}\n}`;
}

function printField(field: DescField | DescExtension): string {
  if (field.fieldKind === 'map')
    return `map<${scalarName(field.mapKey)}, ${typeName(field)}> ${fieldTail(field)}`;
  return `${field.fieldKind === 'list' ? 'repeated' : 'optional'} ${typeName(field)} ${fieldTail(field)}`;
}

function fieldTail(field: DescField | DescExtension): string {
  return `${field.name} = ${field.number}${field.deprecated ? ' [deprecated = true]' : ''};`;
}

function typeName(field: DescField | DescExtension): string {
  if (field.message) return field.message.typeName;
  if (field.enum) return field.enum.typeName;
  return scalarName(field.scalar);
}

function scalarName(scalar: ScalarType | undefined): string {
  if (scalar === undefined) throw new Error('a field of buf/validate/validate.proto has no type');
  return ScalarType[scalar].toLowerCase();
}
