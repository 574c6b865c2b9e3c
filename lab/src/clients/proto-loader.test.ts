import { services } from '@acme/dev/repository';
import { loadSync } from '@grpc/proto-loader';
import { expect, test } from 'vitest';
import { protoFolders } from './proto-folders.ts';

// protobufjs, on which it builds, parses fewer forms of options than buf.
test.each(services)('@grpc/proto-loader reads the contract of $name', ({ descriptor }) => {
  const contract = loadSync(`${descriptor.file.name}.proto`, { includeDirs: protoFolders });
  expect(Object.keys(contract[descriptor.typeName] ?? {})).toEqual(
    descriptor.methods.map(({ name }) => name),
  );
});
