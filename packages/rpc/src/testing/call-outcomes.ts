import type { CallContext } from '../call/call-context.ts';
import { type Client, createClient } from '../client/create-client.ts';
import type { CallOptions } from '../client/outgoing-call/call-options.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { handlerOfEachKind } from './calls-of-each-kind.ts';
import { EchoService } from './gen/testing/v1/echo_service_pb.ts';
import { pastDeadline } from './past-deadline.ts';
import { rejectionOf } from './rejection-of.ts';
import { startTestServer, type TestServer } from './start-test-server.ts';
import { type CallerSpan, inNewTrace } from './telemetry/in-new-trace.ts';

type EchoClient = Client<typeof EchoService>;
type Call = (client: EchoClient, options?: CallOptions) => Promise<unknown>;

/** A server with one replaceable handler for methods of all four kinds. */
export interface OutcomeStage extends TestServer<typeof EchoService> {
  /** A client without a token. */
  readonly unauthenticatedClient: EchoClient;
  serveWith(handler: (context: CallContext) => unknown): void;
}

/** A way in which a call of any kind can end. */
export interface CallOutcome {
  readonly name: string;
  /** The client's status code. */
  readonly code: Code;
  /** The possible codes on the server. At a deadline, the client's reset may arrive before the server's own timer fires. */
  readonly serverCodes: readonly Code[];
  /** Makes the call, repeatedly if necessary. The last call has the outcome. */
  run(call: Call, stage: OutcomeStage): Promise<unknown>;
}

export async function startOutcomeStage(): Promise<OutcomeStage> {
  let handler: (context: CallContext) => unknown = () => [];
  const handlers = handlerOfEachKind((_request: unknown, context: CallContext) => handler(context));
  const server = await startTestServer(EchoService, handlers);
  const unauthenticatedClient = createClient(EchoService, { target: server.target });
  return {
    ...server,
    unauthenticatedClient,
    serveWith: (next) => {
      handler = next;
    },
    [Symbol.asyncDispose]: async () => {
      unauthenticatedClient[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Runs the outcome with each call in a new trace. Returns the caller's span of the last call. */
export async function runInNewTraces(
  outcome: CallOutcome,
  call: Call,
  stage: OutcomeStage,
): Promise<CallerSpan> {
  let last: CallerSpan | undefined;
  await outcome.run((client, options) => {
    const { caller, result } = inNewTrace(() => call(client, options));
    last = caller;
    return result;
  }, stage);
  if (!last) throw new Error(`the outcome ${outcome.name} makes no call`);
  return last;
}

export const callOutcomes: readonly CallOutcome[] = [
  {
    name: 'OK',
    code: Code.OK,
    serverCodes: [Code.OK],
    run: (call, { client, serveWith }) => {
      serveWith(() => []);
      return call(client);
    },
  },
  {
    name: 'NOT_FOUND',
    code: Code.NOT_FOUND,
    serverCodes: [Code.NOT_FOUND],
    run: (call, { client, serveWith }) => {
      serveWith(() => {
        throw new RpcError(Code.NOT_FOUND, 'no such thing');
      });
      return rejectionOf(call(client));
    },
  },
  {
    name: 'rejected by auth',
    code: Code.UNAUTHENTICATED,
    serverCodes: [Code.UNAUTHENTICATED],
    run: (call, { unauthenticatedClient }) => rejectionOf(call(unauthenticatedClient)),
  },
  {
    name: 'deadline',
    code: Code.DEADLINE_EXCEEDED,
    // The client's clock started earlier. It resets the stream at its own deadline.
    serverCodes: [Code.DEADLINE_EXCEEDED, Code.CANCELLED],
    run: (call, { client, serveWith }) => {
      let served = false;
      serveWith(() => {
        served = true;
        return new Promise(() => {});
      });
      return pastDeadline(
        (options) => call(client, options),
        () => served,
      );
    },
  },
  {
    name: 'client cancel',
    code: Code.CANCELLED,
    serverCodes: [Code.CANCELLED],
    run: async (call, { client, serveWith }) => {
      const served = Promise.withResolvers<void>();
      serveWith(() => {
        served.resolve();
        return new Promise(() => {});
      });
      const abort = new AbortController();
      const answer = rejectionOf(call(client, { signal: abort.signal }));
      await served.promise;
      abort.abort();
      await answer;
    },
  },
  {
    name: 'throw',
    code: Code.INTERNAL,
    serverCodes: [Code.INTERNAL],
    run: (call, { client, serveWith }) => {
      serveWith(() => {
        throw new Error('the disk is gone');
      });
      return rejectionOf(call(client));
    },
  },
];
