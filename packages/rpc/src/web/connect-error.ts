import { createRegistry, isMessage, type Message } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { ConnectError } from '@connectrpc/connect';
import type { StatusObject } from '@grpc/grpc-js';
import { decodeStatusDetails, statusDetailsKey } from '../errors/status-details.ts';
import { file_google_rpc_error_details } from '../gen/google/rpc/error_details_pb.ts';

const registry = createRegistry(file_google_rpc_error_details);

/**
 * Converts the status of a call to the error that `@connectrpc/connect` sends. It has the details that the gRPC port would
 * send, within the same limits. Connect adds those of google.rpc in JSON, as `debug`.
 */
export function toConnectError({ code, details, metadata }: StatusObject): ConnectError {
  const error = new ConnectError(details, code as number);
  const [encoded] = metadata.get(statusDetailsKey);
  if (encoded instanceof Uint8Array) error.details = decodeStatusDetails(encoded).map(toConnectDetail);
  return error;
}

function toConnectDetail(detail: Message): ConnectError['details'][number] {
  if (isMessage(detail, AnySchema)) return packedDetail(detail);
  const desc = registry.getMessage(detail.$typeName);
  if (!desc) throw new Error(`${detail.$typeName} is not a message of google.rpc`);
  return { desc, value: detail };
}

function packedDetail({ typeUrl, value }: Any) {
  return { type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1), value };
}
