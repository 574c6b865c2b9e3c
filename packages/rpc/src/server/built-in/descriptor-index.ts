import type { DescEnum, DescFile } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { getOrInsert } from '../../node-24/get-or-insert.ts';

/** The files of a contract by their declarations. Names are fully qualified, without a leading dot. */
export interface DescriptorIndex {
  /** Files by import path: `orders/v1/order.proto`. */
  readonly files: ReadonlyMap<string, DescFile>;
  /** Files by message, field, oneof, enum, enum value, service, method and extension. */
  readonly symbols: ReadonlyMap<string, DescFile>;
  /** Files by extended message and extension number. */
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
}

/** Indexes the files and all their imports. */
export function indexDescriptors(roots: readonly DescFile[]): DescriptorIndex {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  const add = (file: DescFile) => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    for (const type of nestedTypes(file)) {
      symbols.set(type.typeName, file);
      for (const name of memberNames(type)) symbols.set(name, file);
      if (type.kind === 'extension')
        getOrInsert(extensions, type.extendee.typeName, () => new Map()).set(type.number, file);
    }
    for (const dependency of file.dependencies) add(dependency);
  };
  for (const root of roots) add(root);
  return { files, symbols, extensions };
}

type NestedType = ReturnType<typeof nestedTypes> extends Iterable<infer Type> ? Type : never;

function memberNames(type: NestedType): string[] {
  switch (type.kind) {
    case 'message':
      return [...type.fields, ...type.oneofs].map(({ name }) => `${type.typeName}.${name}`);
    case 'service':
      return type.methods.map(({ name }) => `${type.typeName}.${name}`);
    case 'enum':
      return enumValueNames(type);
    case 'extension':
      return [];
  }
}

/** Returns the names of enum values, which are siblings of the enum's name, as in C++. */
function enumValueNames({ parent, file, values }: DescEnum): string[] {
  const scope = parent?.typeName ?? file.proto.package;
  return values.map(({ name }) => (scope === '' ? name : `${scope}.${name}`));
}
