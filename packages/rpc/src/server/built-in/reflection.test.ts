import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { fromBinary, getExtension, getOption, toBinary } from '@bufbuild/protobuf';
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { ServerReflection } from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionV1Alpha } from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { method as methodPolicy } from '../../gen/policy/v1/policy_pb.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { askForFiles, openReflection, type Question } from '../../testing/reflection-client.ts';
import { startTestServer } from '../../testing/start-test-server.ts';

const names = (files: readonly FileDescriptorProto[]) => files.map(({ name }) => name);
const start = (reflection = true) => startTestServer(EchoService, {}, { reflection });
const serviceName = EchoService.typeName;
const versions = [ServerReflection, ServerReflectionV1Alpha] as const;

describe.each(versions)('$typeName', (version) => {
  test('reflection lists every service of the server, itself included', async () => {
    await using server = await start();
    using reflection = openReflection(server.target, version);
    const answer = await reflection.ask({ case: 'listServices', value: '' });
    expect(answer.value).toMatchObject({
      service: [
        { name: 'grpc.channelz.v1.Channelz' },
        { name: 'grpc.health.v1.Health' },
        { name: 'grpc.reflection.v1.ServerReflection' },
        { name: 'grpc.reflection.v1alpha.ServerReflection' },
        { name: 'testing.v1.EchoService' },
      ],
    });
  });

  test.each([
    ['a service', 'testing.v1.EchoService', 'testing/v1/echo_service.proto'],
    ['a method', 'testing.v1.EchoService.GetEcho', 'testing/v1/echo_service.proto'],
    ['a message', 'testing.v1.Echo', 'testing/v1/echo.proto'],
    ['a nested message', 'google.rpc.BadRequest.FieldViolation', 'google/rpc/error_details.proto'],
    ['a field', 'testing.v1.Echo.key', 'testing/v1/echo.proto'],
    ['a oneof', 'buf.validate.FieldRules.type', 'buf/validate/validate.proto'],
    ['a nested enum', 'grpc.health.v1.HealthCheckResponse.ServingStatus', 'grpc/health/v1/health.proto'],
    ['an enum value', 'grpc.health.v1.HealthCheckResponse.SERVING', 'grpc/health/v1/health.proto'],
    ['an extension', 'policy.v1.method', 'policy/v1/policy.proto'],
    ['reflection', 'grpc.reflection.v1.ServerReflection', 'grpc/reflection/v1/reflection.proto'],
    ['channelz', 'grpc.channelz.v1.Channelz', 'grpc/channelz/v1/channelz.proto'],
  ])('reflection finds the file of %s', async (_kind, symbol, file) => {
    await using server = await start();
    using reflection = openReflection(server.target, version);
    const [found] = await askForFiles(reflection, { case: 'fileContainingSymbol', value: symbol });
    expect(found?.name).toBe(file);
  });

  test.each([
    ['google.protobuf.MethodOptions', 50901, 'policy/v1/policy.proto'],
    ['google.protobuf.FieldOptions', 1159, 'buf/validate/validate.proto'],
  ])(
    'reflection finds the file of the extension of %s by number',
    async (containingType, extensionNumber, file) => {
      await using server = await start();
      using reflection = openReflection(server.target, version);
      const [found] = await askForFiles(reflection, {
        case: 'fileContainingExtension',
        value: { containingType, extensionNumber },
      });
      expect(found?.name).toBe(file);
      const answer = await reflection.ask({ case: 'allExtensionNumbersOfType', value: containingType });
      expect(answer.value).toMatchObject({
        baseTypeName: containingType,
        extensionNumber: expect.arrayContaining([extensionNumber]),
      });
    },
  );

  test('reflection sends a file with its dependencies, and no dependency twice on a stream', async () => {
    await using server = await start();
    using reflection = openReflection(server.target, version);
    const first = await askForFiles(reflection, { case: 'fileContainingSymbol', value: serviceName });
    expect(names(first)).toEqual(
      expect.arrayContaining([
        'testing/v1/echo.proto',
        'policy/v1/policy.proto',
        'buf/validate/validate.proto',
        'google/protobuf/descriptor.proto',
      ]),
    );
    expect(new Set(names(first)).size).toBe(first.length);
    const policyFile: Question = { case: 'fileByFilename', value: 'policy/v1/policy.proto' };
    expect(names(await askForFiles(reflection, policyFile))).toEqual(['policy/v1/policy.proto']);
  });

  test('reflection sends custom options, such as the policy of each method', async () => {
    await using server = await start();
    using reflection = openReflection(server.target, version);
    const [file] = await askForFiles(reflection, { case: 'fileContainingSymbol', value: serviceName });
    const methods = file?.service.flatMap(({ method }) => method) ?? [];
    expect(methods.map(({ options }) => options && getExtension(options, methodPolicy))).toEqual(
      EchoService.methods.map((method) => getOption(method, methodPolicy)),
    );
  });

  test.each<[string, Question]>([
    ['a file', { case: 'fileByFilename', value: 'evil.proto' }],
    ['a symbol', { case: 'fileContainingSymbol', value: 'evil.v1.EvilService' }],
    ['a symbol of an object property', { case: 'fileContainingSymbol', value: '__proto__' }],
    [
      'an extension',
      {
        case: 'fileContainingExtension',
        value: { containingType: 'google.protobuf.MethodOptions', extensionNumber: 1 },
      },
    ],
    ['a message', { case: 'allExtensionNumbersOfType', value: 'evil.v1.Evil' }],
  ])(
    'reflection returns NOT_FOUND for %s that is unknown, and the stream continues',
    async (_kind, question) => {
      await using server = await start();
      using reflection = openReflection(server.target, version);
      for (let asked = 0; asked < 2; asked++)
        expect(await reflection.ask(question)).toMatchObject({
          case: 'errorResponse',
          value: { errorCode: Code.NOT_FOUND, errorMessage: 'not found' },
        });
    },
  );

  test('reflection returns INVALID_ARGUMENT for an empty request', async () => {
    await using server = await start();
    using reflection = openReflection(server.target, version);
    expect(await reflection.ask({ case: undefined })).toMatchObject({
      case: 'errorResponse',
      value: { errorCode: Code.INVALID_ARGUMENT },
    });
  });

  test('a drain ends reflection with UNAVAILABLE', async () => {
    await using server = await start();
    using reflection = openReflection(server.target, version);
    await reflection.ask({ case: 'listServices', value: '' });
    const drained = server.running.drain({ pauseMs: 0, timeoutMs: 60_000 });
    await expect(reflection.next()).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    await drained;
  });

  test('reflection is UNIMPLEMENTED when it is off', async () => {
    await using server = await start(false);
    using reflection = openReflection(server.target, version);
    await expect(reflection.next()).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
  });
});

test('the files that reflection sends are those that buf builds from proto/, byte for byte', async () => {
  await using server = await start();
  using reflection = openReflection(server.target, ServerReflection);
  const built = await bufBuild();
  const sent = await askForFiles(reflection, { case: 'fileContainingSymbol', value: serviceName });
  // protobuf-es has its own release of protobuf's files.
  const own = sent.filter(({ name }) => !name.startsWith('google/protobuf/'));
  expect(names(own)).toContain('policy/v1/policy.proto');
  for (const file of own) expect(encoded(file), file.name).toEqual(encoded(built.get(file.name)));
});

test('buf, a client in Go, finds and calls a method by reflection alone', async () => {
  await using server = await start();
  const curl = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge'];
  const methods = await buf(...curl, '--list-methods', `http://${server.target}`);
  expect(methods.toString().split('\n')).toContain(`${serviceName}/GetEcho`);
  const health = await buf(...curl, `http://${server.target}/grpc.health.v1.Health/Check`);
  expect(JSON.parse(health.toString())).toEqual({ status: 'NOT_SERVING' });
});

function encoded(file: FileDescriptorProto | undefined): string {
  return file ? Buffer.from(toBinary(FileDescriptorProtoSchema, file)).toString('hex') : 'no such file';
}

/** Returns the files of the contract by path, without comments. */
async function bufBuild(): Promise<Map<string, FileDescriptorProto>> {
  const image = await buf('build', '--as-file-descriptor-set', '--exclude-source-info', '--output', '-');
  return new Map(fromBinary(FileDescriptorSetSchema, image).file.map((file) => [file.name, file]));
}

/** Runs buf in the repository and returns its output. */
function buf(...words: readonly string[]): Promise<Buffer> {
  const cwd = fileURLToPath(new URL('../../../../../', import.meta.url));
  return buffer(spawn('buf', words, { cwd, stdio: ['ignore', 'pipe', 'inherit'] }).stdout);
}
