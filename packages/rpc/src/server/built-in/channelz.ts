import { type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import {
  getChannelzHandlers,
  getChannelzServiceDefinition,
  type Server,
  type ServiceError,
} from '@grpc/grpc-js';
import type { Interceptor, ServiceImplementation } from '../../call/handler.ts';
import type { Policy } from '../../call/policy.ts';
import { RpcError } from '../../errors/rpc-error.ts';
import { Channelz } from '../../gen/grpc/channelz/v1/channelz_pb.ts';
import { addService } from '../../grpc-js/add-service.ts';
import { asBuffer } from '../../grpc-js/as-buffer.ts';
import type { ServerCallOptions } from '../../incoming/incoming-call.ts';

const policy: Policy = { deadlineMs: 5000, maxDeadlineMs: 5000, scopes: [], maxRequestBytes: 1024 };

type GrpcHandler = (
  call: { request: unknown },
  callback: (error: Partial<ServiceError> | null, response?: object | null) => void,
) => void;

/**
 * Adds channelz (gRFC A14): statistics of the channels, servers and sockets of the process. The handlers are grpc-js's
 * own, behind the chain, which limits their requests and responses. Not for production.
 */
export function addChannelz(
  server: Server,
  interceptors: readonly Interceptor[],
  options: ServerCallOptions,
): void {
  const handlers = Channelz.methods.map((method) => [method.localName, handlerOf(method)]);
  const implementation: ServiceImplementation<typeof Channelz> = Object.fromEntries(handlers);
  addService(server, Channelz, implementation, interceptors, { ...options, policies: () => policy });
}

/** Returns a handler that calls grpc-js's own, with the messages converted through their encoded bytes. */
function handlerOf(method: DescMethod): (request: Message) => Promise<Message> {
  const handlers: Record<string, unknown> = { ...getChannelzHandlers() };
  const handle = handlers[method.name] as GrpcHandler | undefined;
  if (!handle) throw new Error(`grpc-js has no channelz method ${method.name}`);
  return async (message) => {
    // Not at the start, of which it would take a tenth: grpc-js parses .proto files.
    const definition = getChannelzServiceDefinition()[method.name];
    if (!definition) throw new Error(`grpc-js has no definition of the channelz method ${method.name}`);
    const request = definition.requestDeserialize(asBuffer(toBinary(method.input, message)));
    const { promise, resolve, reject } = Promise.withResolvers<object>();
    handle({ request }, (error, response) => {
      if (response) resolve(response);
      else reject(error?.code === undefined ? error : new RpcError(error.code, error.details ?? ''));
    });
    return fromBinary(method.output, definition.responseSerialize(await promise));
  };
}
