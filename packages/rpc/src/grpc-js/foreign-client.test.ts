import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { create, type Message, toBinary } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { maxDetailsBytes } from '../errors/status-details.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  HelpSchema,
  LocalizedMessageSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from '../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';

/**
 * These tests read errors with another implementation of gRPC and protobuf: `buf`, which is written in Go and reads the
 * messages from the contracts of the package.
 */
async function buf(input: Uint8Array, ...words: readonly string[]) {
  const cwd = fileURLToPath(new URL('../../../../', import.meta.url));
  const child = spawn('buf', words, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
  return { stdout, stderr };
}

/** Returns the error that the Go client decodes from a call whose handler throws `error`. */
async function inGo(error: RpcError) {
  await using server = await startTestServer(EchoService, {
    getEcho: async () => {
      throw error;
    },
  });
  const call = [
    'curl',
    '--protocol',
    'grpc',
    '--http2-prior-knowledge',
    '--schema',
    'packages/rpc/src/testing/proto',
  ];
  const request = ['--header', 'authorization: Bearer test-token', '--data', '{"key": "A"}'];
  const url = `http://${server.target}${methodPath(EchoService.method.getEcho)}`;
  const { stderr } = await buf(new Uint8Array(), ...call, ...request, url);
  // buf prints the type of a detail, and its content as bytes.
  const answer: { code: string; message: string; details: { type: string; value: string }[] } =
    JSON.parse(stderr);
  const details = answer.details.map(({ type, value }) => ({
    typeUrl: `type.googleapis.com/${type}`,
    value: Buffer.from(value, 'base64'),
  }));
  const status = toBinary(StatusSchema, create(StatusSchema, { details }));
  const { stdout } = await buf(
    status,
    'convert',
    'packages/rpc/proto',
    '--type',
    'google.rpc.Status',
    '--from',
    '-',
  );
  return {
    ...answer,
    details: JSON.parse(stdout.toString()).details,
    sizeBytes: details.reduce((sum, { typeUrl, value }) => sum + typeUrl.length + value.length, 0),
  };
}

const links = [{ description: 'how echoes work', url: 'https://example.com/echoes' }];
const short = { type: 'COUNT', subject: 'key-1', description: '2 are left' };
const bad = (index: number) => ({ field: `items[${index}].count`, description: 'must be at least 1' });

/** All google.rpc details, the most useful first: the message, and its form in Go's output. */
const cases: readonly (readonly [Message, { '@type': string }])[] = [
  [
    create(ErrorInfoSchema, { reason: 'TOO_FEW', domain: 'testing.v1', metadata: { key: 'ö-1' } }),
    { reason: 'TOO_FEW', domain: 'testing.v1', metadata: { key: 'ö-1' } },
  ],
  [create(RetryInfoSchema, { retryDelay: durationFromMs(1500) }), { retryDelay: '1.500s' }],
  [
    create(RequestInfoSchema, { requestId: 'request-1', servingData: 'shelf 7' }),
    { requestId: 'request-1', servingData: 'shelf 7' },
  ],
  [create(BadRequestSchema, { fieldViolations: [bad(0), bad(1)] }), { fieldViolations: [bad(0), bad(1)] }],
  [create(PreconditionFailureSchema, { violations: [short] }), { violations: [short] }],
  [
    create(QuotaFailureSchema, { violations: [{ subject: 'anna', description: '5 a second' }] }),
    { violations: [{ subject: 'anna', description: '5 a second' }] },
  ],
  [
    create(ResourceInfoSchema, {
      resourceType: 'testing.v1.Echo',
      resourceName: 'key-1',
      owner: 'anna',
    }),
    { resourceType: 'testing.v1.Echo', resourceName: 'key-1', owner: 'anna' },
  ],
  [create(HelpSchema, { links }), { links }],
  [
    create(LocalizedMessageSchema, { locale: 'de-AT', message: 'Zu wenig da: 2 Stück' }),
    { locale: 'de-AT', message: 'Zu wenig da: 2 Stück' },
  ],
].map(([detail, shown]) => [
  detail as Message,
  { '@type': `type.googleapis.com/${(detail as Message).$typeName}`, ...shown },
]);

test('a client in Go reads the code, the message and each of the nine details', async () => {
  const details = cases.map(([detail]) => detail);
  const error = await inGo(new RpcError(Code.FAILED_PRECONDITION, 'zu wenig: ✂', { details }));
  expect(error).toMatchObject({ code: 'failed_precondition', message: 'zu wenig: ✂' });
  expect(error.details).toEqual(cases.map(([, shown]) => shown));
});

test('a client in Go reads the remaining details of an error that has too many', async () => {
  const violations = create(BadRequestSchema, {
    fieldViolations: Array.from({ length: 1000 }, (_, index) => bad(index)),
  });
  const [[reason, shownReason]] = cases as [(typeof cases)[number]];
  const error = await inGo(new RpcError(Code.INVALID_ARGUMENT, 'bad', { details: [violations, reason] }));
  expect(error).toMatchObject({ code: 'invalid_argument', message: 'bad' });
  const [first, second] = error.details;
  expect(first).toEqual(shownReason);
  const kept = second.fieldViolations.length;
  expect(second.fieldViolations).toEqual(Array.from({ length: kept }, (_, index) => bad(index)));
  expect(error.sizeBytes).toBeLessThanOrEqual(maxDetailsBytes);
  expect(error.sizeBytes).toBeGreaterThan(maxDetailsBytes / 3);
});
