import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { credentials, makeClientConstructor, type ServiceDefinition } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { expect, test } from 'vitest';
import { Code } from '../errors.ts';
import { startTestServer } from '../testing/start-test-server.ts';

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly (readonly number[])[] };
  readonly errorResponse?: { readonly errorCode: number };
}

/** The versions of the reflection service, by their names, as @grpc/reflection defines them for its own server. */
function reflectionDefinitions(): Map<string, ServiceDefinition> {
  const definitions = new Map<string, ServiceDefinition>();
  new ReflectionService({}).addToServer({
    addService: (definition) => {
      const [, name = ''] = Object.values(definition)[0]?.path.split('/') ?? [];
      definitions.set(name, definition);
    },
  });
  return definitions;
}

async function ask(target: string, version: string, question: object): Promise<ReflectionAnswer> {
  const definition = reflectionDefinitions().get(version);
  if (!definition) throw new Error(`no reflection service is called ${version}`);
  const Client = makeClientConstructor(definition, version);
  const client = new Client(target, credentials.createInsecure());
  try {
    const call = client.ServerReflectionInfo?.();
    call.end(question);
    for await (const answer of call) return answer;
    throw new Error('no answer');
  } finally {
    client.close();
  }
}

const versions = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];

test.each(versions)('ensure %s lists the service and finds the files of its symbols', async (version) => {
  await using server = await startTestServer(InventoryService, {}, { reflection: true });
  const { listServicesResponse: list } = await ask(server.target, version, { listServices: '' });
  expect(list?.service.map(({ name }) => name)).toContain('inventory.v1.InventoryService');
  const symbol = 'inventory.v1.InventoryService.GetStock';
  const { fileDescriptorResponse: found } = await ask(server.target, version, {
    fileContainingSymbol: symbol,
  });
  const files = found?.fileDescriptorProto.map((bytes) =>
    fromBinary(FileDescriptorProtoSchema, Uint8Array.from(bytes)),
  );
  expect(files?.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['inventory/v1/inventory_service.proto', 'inventory/v1/stock.proto']),
  );
  for (const other of ['google.rpc.BadRequest', 'grpc.health.v1.Health']) {
    const answer = await ask(server.target, version, { fileContainingSymbol: other });
    expect(answer.fileDescriptorResponse, other).toBeTruthy();
  }
  const unknown = await ask(server.target, version, { fileContainingSymbol: 'evil.v1.EvilService' });
  expect(unknown.errorResponse?.errorCode).toBe(Code.NOT_FOUND);
});

test.each(versions)('ensure %s is UNIMPLEMENTED when reflection is off', async (version) => {
  await using server = await startTestServer(InventoryService, {});
  await expect(ask(server.target, version, { listServices: '' })).rejects.toMatchObject({
    code: Code.UNIMPLEMENTED,
  });
});
