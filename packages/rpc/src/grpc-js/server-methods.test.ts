import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import type { CallContext } from '../call/call-context.ts';
import type { Interceptor } from '../call/handler.ts';
import { serverChain } from '../chain/chain.ts';
import { createOpenStreams } from '../chain/open-streams.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { ErrorInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { callsOfEachKind, handlerOfEachKind } from '../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../testing/crashes.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { pastDeadline } from '../testing/past-deadline.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';

/** Far enough that a call that is answered only at its deadline fails the test. */
const farDeadline = { deadlineMs: 60_000 };

const waysToFail: Record<string, () => unknown> = {
  'throws at once': () => {
    throw new Error('canary');
  },
  'throws an object that is no Error': () => {
    throw { code: Code.NOT_FOUND, details: 'canary' };
  },
  'throws undefined': () => {
    throw undefined;
  },
  'throws an error of grpc-js': () => {
    throw Object.assign(new Error('canary'), { code: Code.NOT_FOUND, details: 'canary' });
  },
  'throws what another service answered': () => {
    throw new RpcError(Code.NOT_FOUND, 'canary', { calledMethod: 'other.v1.OtherService/Get' });
  },
  'throws a status of OK': () => {
    throw new RpcError(Code.OK, 'canary');
  },
  'throws a status that is no number': () => {
    throw new RpcError('canary' as never, 'canary');
  },
  rejects: async () => {
    throw new Error('canary');
  },
  'rejects with what is no Error': () => Promise.reject('canary'),
};

describe.each(callsOfEachKind)('a %s call', (_kind, call) => {
  test.each(Object.entries(waysToFail))(
    'a handler that %s ends its call with INTERNAL at once, reveals nothing and does not end the process',
    async (_way, fail) => {
      using crashes = recordCrashes();
      await using server = await startTestServer(EchoService, handlerOfEachKind(fail));
      const error = await rejectionOf(call(server.client, farDeadline));
      expect(error).toMatchObject({ code: Code.INTERNAL, message: 'internal error' });
      expect(error.details).toEqual([
        { $typeName: 'google.rpc.RequestInfo', requestId: expect.any(String), servingData: '' },
      ]);
      expect(await rejectionOf(call(server.client, farDeadline))).toMatchObject({ code: Code.INTERNAL });
      expect(crashes.reasons).toEqual([]);
    },
  );

  test.each([
    ['are no list', 'canary'],
    [
      'only look like an Any',
      [{ $typeName: 'google.protobuf.Any', typeUrl: 5, value: Buffer.from('canary') }],
    ],
  ])('details that %s make the call INTERNAL, and do not end the process', async (_name, details) => {
    using crashes = recordCrashes();
    const fail = () => {
      throw new RpcError(Code.NOT_FOUND, 'canary', { details: details as never });
    };
    await using server = await startTestServer(EchoService, handlerOfEachKind(fail));
    const error = await rejectionOf(call(server.client, farDeadline));
    expect(error).toMatchObject({ code: Code.INTERNAL, message: 'internal error', details: [] });
    expect(server.logLines).toContainEqual(
      expect.objectContaining({ msg: 'an error could not be converted to a status' }),
    );
    expect(crashes.reasons).toEqual([]);
  });

  test("an INTERNAL of the service has the service's details only", async () => {
    const detail = create(ErrorInfoSchema, { reason: 'BROKEN' });
    const own = new RpcError(Code.INTERNAL, 'the shelf is broken', { details: [detail] });
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => {
        throw own;
      }),
    );
    const error = await rejectionOf(call(server.client, farDeadline));
    expect(error).toMatchObject({ code: own.code, message: own.message, details: [detail] });
  });

  test('a handler that fails after the deadline does not end the process', async () => {
    using crashes = recordCrashes();
    const late = Promise.withResolvers<never>();
    let served = false;
    const failLate = () => {
      served = true;
      return late.promise;
    };
    await using server = await startTestServer(EchoService, handlerOfEachKind(failLate));
    const error = await pastDeadline(
      (options) => call(server.client, options),
      () => served,
    );
    expect(error.code).toBe(Code.DEADLINE_EXCEEDED);
    late.reject(new Error('late'));
    await rejectionOf(server.client.listEchoes({}));
    expect(crashes.reasons).toEqual([]);
  });

  test('the signal is not aborted after the call has ended', async () => {
    let signal: AbortSignal | undefined;
    const keepSignal = (_request: unknown, context: CallContext) => {
      signal = context.signal;
      return [];
    };
    await using server = await startTestServer(EchoService, handlerOfEachKind(keepSignal));
    await call(server.client);
    // grpc-js emits `cancelled` right after the answer, and so before the next one.
    await rejectionOf(server.client.listEchoes({}));
    expect(signal?.aborted).toBe(false);
  });

  test('a response that cannot be encoded makes the call return and log INTERNAL', async () => {
    const bad = { echo: { number: 'many' }, received: 'many', number: 'many' };
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => Object.assign([bad], bad)),
    );
    const error = await rejectionOf(call(server.client, farDeadline));
    expect(error).toMatchObject({ code: Code.INTERNAL, message: 'internal error' });
    expect(server.logLines).toContainEqual(expect.objectContaining({ msg: 'call', code: 'INTERNAL' }));
  });
});

// The response of ImportEchoes has only numbers, and is never large.
test.each(callsOfEachKind.filter(([kind]) => kind !== 'client streaming'))(
  'a %s call returns and logs RESOURCE_EXHAUSTED if its response is over the size limit',
  async (_kind, call) => {
    const text = 'x'.repeat(2 * 1024 * 1024);
    const large = { echo: { text }, key: text };
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => Object.assign([large], large)),
    );
    const error = await rejectionOf(call(server.client, farDeadline));
    expect(error).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, message: expect.stringContaining('bytes') });
    expect(server.logLines).toContainEqual(
      expect.objectContaining({ msg: 'call', code: 'RESOURCE_EXHAUSTED' }),
    );
  },
);

const positions = Array.from(
  serverChain({ errorMap: () => undefined, openStreams: createOpenStreams() } as never),
  (_, index) => index,
);
const brokenInterceptors: Record<string, Interceptor> = {
  'throws at once': () => () => {
    throw new Error('canary');
  },
  rejects: () => async () => {
    throw new Error('canary');
  },
  'rejects after the handler has responded': (next) => async (call) => {
    await next(call);
    throw new Error('canary');
  },
};

describe.each([...positions, positions.length])('position %i of the chain', (position) => {
  test.each(Object.entries(brokenInterceptors))(
    'an interceptor that %s ends calls of all four kinds with INTERNAL',
    async (_way, broken) => {
      using crashes = recordCrashes();
      await using server = await startTestServer(
        EchoService,
        handlerOfEachKind(() => []),
        { modifyChain: (chain) => chain.toSpliced(position, 0, broken) },
      );
      for (const [, call] of callsOfEachKind) {
        const error = await rejectionOf(call(server.client, farDeadline));
        expect(error).toMatchObject({ code: Code.INTERNAL, message: 'internal error' });
        expect(JSON.stringify(error)).not.toContain('canary');
      }
      expect(crashes.reasons).toEqual([]);
    },
  );
});

test('a bidi handler that leaves its loop early still sends its status', async () => {
  await using server = await startTestServer(EchoService, {
    async *exchangeEchoes(requests) {
      for await (const { key } of requests) {
        yield { key };
        break;
      }
      throw new RpcError(Code.FAILED_PRECONDITION, 'enough');
    },
  });
  const answers = server.client.exchangeEchoes([{ key: 'A' }, { key: 'B' }], farDeadline);
  expect((await answers.next()).value).toMatchObject({ key: 'A' });
  expect(await rejectionOf(answers.next())).toMatchObject({
    code: Code.FAILED_PRECONDITION,
    message: 'enough',
  });
});

test('a bidi handler that answers without reading ends the call with OK', async () => {
  await using server = await startTestServer(EchoService, {
    async *exchangeEchoes() {
      yield { key: 'A' };
    },
  });
  const neverEnding = (async function* () {
    yield { key: 'X' };
    await new Promise<never>(() => {});
  })();
  const answers = await Array.fromAsync(server.client.exchangeEchoes(neverEnding, farDeadline));
  expect(answers).toMatchObject([{ key: 'A' }]);
});
