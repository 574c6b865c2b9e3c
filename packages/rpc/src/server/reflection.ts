import { file_google_rpc_error_details } from '@acme/gen/google/rpc/error_details_pb';
import { file_grpc_health_v1_health } from '@acme/gen/grpc/health/v1/health_pb';
import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';

type ReflectionContract = ConstructorParameters<typeof ReflectionService>[0];

/**
 * Lets grpcurl and its like ask the server for its contract: the services, health, and the details that errors carry,
 * which no method names. Not for production.
 */
export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Map<string, Buffer>();
  const collect = (file: DescFile) => {
    if (files.has(file.name)) return;
    for (const dependency of file.dependencies) collect(dependency);
    files.set(file.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
  };
  for (const service of services) collect(service.file);
  collect(file_google_rpc_error_details);
  collect(file_grpc_health_v1_health);
  // It reads nothing else of what proto-loader would have put there.
  const contract = { contract: { fileDescriptorProtos: [...files.values()] } };
  new ReflectionService(contract as unknown as ReflectionContract).addToServer(server);
}
