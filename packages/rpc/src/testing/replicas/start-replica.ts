import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import { addService } from '../../grpc-js/add-service.ts';
import { startOnHeaders } from '../../grpc-js/grpc-call.ts';
import { createUnflushedCalls } from '../../incoming/unflushed-calls.ts';
import { createMemoryBudget } from '../../limits/memory-budget.ts';
import { defaultMaxMessageBytes, serverLimits } from '../../limits/server-limits.ts';
import { createLogger } from '../../logging/logger.ts';
import type { EchoImplementation } from '../calls-of-each-kind.ts';
import { EchoService } from '../gen/testing/v1/echo_service_pb.ts';

export interface ReplicaOptions {
  /** The address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** The port to listen on; a free one when absent. */
  readonly port?: number;
  /** Overrides of `serverLimits`, such as an age of connections that a test can wait for. */
  readonly limits?: ServerOptions;
}

export interface Replica extends AsyncDisposable {
  readonly port: number;
}

/** Starts one of several servers of EchoService, without a chain. */
export async function startReplica(
  implementation: Partial<EchoImplementation>,
  { host = '127.0.0.1', port = 0, limits = {} }: ReplicaOptions = {},
): Promise<Replica> {
  const server = new Server({
    ...serverLimits,
    ...limits,
    interceptors: [startOnHeaders],
  });
  const missing = async () => {
    throw new Error('the test does not serve this method');
  };
  const methods = Object.fromEntries(EchoService.methods.map(({ localName }) => [localName, missing]));
  addService(server, EchoService, { ...methods, ...implementation } as EchoImplementation, [], {
    log: createLogger({ service: 'replica', level: 'silent' }),
    newRequestId: () => 'request-1',
    memory: createMemoryBudget(),
    unflushed: createUnflushedCalls(),
    maxRequestBytes: defaultMaxMessageBytes,
    maxResponseBytes: defaultMaxMessageBytes,
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
  return { port: bound, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

/** Returns a GetEcho handler that answers with the name of its replica. */
export function answeringAs(name: string, delayMs = 0): Partial<EchoImplementation> {
  return {
    getEcho: async ({ key }) => {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      return { echo: { key, text: name } };
    },
  };
}
