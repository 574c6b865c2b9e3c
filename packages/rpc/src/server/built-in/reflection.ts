import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import type { Interceptor } from '../../call/handler.ts';
import type { Policy } from '../../call/policy.ts';
import { Code } from '../../errors/rpc-error.ts';
import { file_google_rpc_error_details } from '../../gen/google/rpc/error_details_pb.ts';
import {
  ServerReflection,
  type ServerReflectionRequest,
} from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import {
  type ServerReflectionRequest as ServerReflectionRequestV1Alpha,
  ServerReflection as ServerReflectionV1Alpha,
} from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { addService } from '../../grpc-js/add-service.ts';
import type { ServerCallOptions } from '../../incoming/incoming-call.ts';
import { type DescriptorIndex, indexDescriptors } from './descriptor-index.ts';

/** Long, because interactive tools keep their stream open between two commands. */
const deadlineMs = 10 * 60 * 1000;
const policy: Policy = { deadlineMs, maxDeadlineMs: deadlineMs, scopes: [], maxRequestBytes: 16 * 1024 };

/** The services of `addReflection`. */
export const reflectionServices = [ServerReflection, ServerReflectionV1Alpha];

/** The two versions differ only in their package name. */
type Request = ServerReflectionRequest | ServerReflectionRequestV1Alpha;
type Question = Request['messageRequest'];

/**
 * Adds server reflection, v1 and v1alpha, for grpcurl and similar tools. It serves the contracts of `services`, of
 * reflection itself, and of the error details, which no method refers to. Custom options are included. Not for
 * production.
 */
export function addReflection(
  server: Server,
  services: readonly DescService[],
  interceptors: readonly Interceptor[],
  options: ServerCallOptions,
): void {
  const listed = [...services, ...reflectionServices];
  const names = listed.map(({ typeName }) => typeName).sort();
  const index = indexDescriptors([...listed.map(({ file }) => file), file_google_rpc_error_details]);
  async function* serverReflectionInfo<Each extends Request>(requests: AsyncIterable<Each>) {
    const sent = new Set<string>();
    for await (const request of requests)
      yield {
        validHost: request.host,
        originalRequest: request,
        messageResponse: answer(request.messageRequest, { index, names, sent }),
      };
  }
  const serviceOptions = { ...options, policies: () => policy };
  addService(server, ServerReflection, { serverReflectionInfo }, interceptors, serviceOptions);
  addService(server, ServerReflectionV1Alpha, { serverReflectionInfo }, interceptors, serviceOptions);
}

interface Answering {
  readonly index: DescriptorIndex;
  /** Sorted names of the services that the server lists. */
  readonly names: readonly string[];
  /** Paths of the files that were sent on this stream. */
  readonly sent: Set<string>;
}

function answer(question: Question, { index, names, sent }: Answering) {
  switch (question.case) {
    case 'listServices':
      return {
        case: 'listServicesResponse' as const,
        value: { service: names.map((name) => ({ name })) },
      };
    case 'fileByFilename':
      return filesOrNotFound(index.files.get(question.value), sent);
    case 'fileContainingSymbol':
      return filesOrNotFound(index.symbols.get(question.value), sent);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = question.value;
      return filesOrNotFound(index.extensions.get(containingType)?.get(extensionNumber), sent);
    }
    case 'allExtensionNumbersOfType':
      return extensionNumbers(question.value, index);
    case undefined:
      return failure(Code.INVALID_ARGUMENT, 'the request has no message_request');
  }
}

/** Returns the file, even if it was sent before, and its dependencies that were not sent before. */
function filesOrNotFound(file: DescFile | undefined, sent: Set<string>) {
  if (!file) return failure(Code.NOT_FOUND, 'not found');
  const files = [file];
  sent.add(file.proto.name);
  const addDependencies = ({ dependencies }: DescFile) => {
    for (const dependency of dependencies) {
      if (sent.has(dependency.proto.name)) continue;
      sent.add(dependency.proto.name);
      files.push(dependency);
      addDependencies(dependency);
    }
  };
  addDependencies(file);
  return {
    case: 'fileDescriptorResponse' as const,
    value: { fileDescriptorProto: files.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)) },
  };
}

function extensionNumbers(typeName: string, { extensions, symbols }: DescriptorIndex) {
  const numbers = [...(extensions.get(typeName)?.keys() ?? [])];
  if (numbers.length === 0 && !symbols.has(typeName)) return failure(Code.NOT_FOUND, 'not found');
  return {
    case: 'allExtensionNumbersResponse' as const,
    value: { baseTypeName: typeName, extensionNumber: numbers },
  };
}

/** Returns an error response. Its text does not repeat the request, which `original_request` contains. */
function failure(errorCode: Code, errorMessage: string) {
  return { case: 'errorResponse' as const, value: { errorCode, errorMessage } };
}
