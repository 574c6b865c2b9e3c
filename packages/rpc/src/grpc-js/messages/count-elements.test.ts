import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, ListValueSchema, SourceCodeInfoSchema } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { BadRequestSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { HealthListResponseSchema } from '../../gen/grpc/health/v1/health_pb.ts';
import {
  BatchPutEchoesRequestSchema,
  PutEchoesRequestSchema,
  WatchEchoesRequestSchema,
} from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { countElements } from './count-elements.ts';

function bytesOf<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Uint8Array {
  return toBinary(schema, create(schema, init));
}

const many = <T>(count: number, of: T) => Array.from({ length: count }, () => of);

/** Returns the violation for which the bytes are rejected. */
function violationOf(schema: DescMessage, bytes: Uint8Array) {
  try {
    countElements(schema, bytes);
  } catch (error) {
    if (error instanceof RpcError && error.code === Code.INVALID_ARGUMENT)
      return error.findDetail(BadRequestSchema)?.fieldViolations[0];
    throw error;
  }
  throw new Error('nothing was rejected');
}

test('messages, strings, packed numbers and entries of maps are counted on all levels', () => {
  expect(
    countElements(PutEchoesRequestSchema, bytesOf(PutEchoesRequestSchema, { items: many(1000, {}) })),
  ).toBe(1000);
  expect(
    countElements(WatchEchoesRequestSchema, bytesOf(WatchEchoesRequestSchema, { keys: many(7, '') })),
  ).toBe(7);
  const statuses = Object.fromEntries(many(5, 0).map((_, index) => [`s${index}`, {}]));
  expect(countElements(HealthListResponseSchema, bytesOf(HealthListResponseSchema, { statuses }))).toBe(5);
  const location = { path: [1, 2, 300, 70_000], span: [1, 2, 3], leadingDetachedComments: ['a', 'b'] };
  const info = bytesOf(SourceCodeInfoSchema, { location: [location, location] });
  expect(countElements(SourceCodeInfoSchema, info)).toBe(2 + 2 * (4 + 3 + 2));
  const batch = { requests: many(3, { items: many(4, { key: 'A' }) }) };
  expect(countElements(BatchPutEchoesRequestSchema, bytesOf(BatchPutEchoesRequestSchema, batch))).toBe(15);
});

test('a list over twice as long as max_items is rejected with its path', () => {
  const items = bytesOf(PutEchoesRequestSchema, { items: many(500_000, {}) });
  expect(violationOf(PutEchoesRequestSchema, items)).toMatchObject({
    field: 'items',
    reason: 'repeated.max_items',
    description: 'must contain no more than 1000 item(s)',
  });
  const keys = bytesOf(WatchEchoesRequestSchema, { keys: many(2001, '') });
  expect(violationOf(WatchEchoesRequestSchema, keys)).toMatchObject({ field: 'keys' });
  const inner = { requests: [{}, { items: many(2001, {}) }] };
  expect(violationOf(BatchPutEchoesRequestSchema, bytesOf(BatchPutEchoesRequestSchema, inner))).toMatchObject(
    {
      field: 'requests[1].items',
    },
  );
});

test('lists within max_items are rejected when their total is over the limit', () => {
  const requests = many(100, { items: many(1000, {}) });
  const bytes = bytesOf(BatchPutEchoesRequestSchema, { requests });
  expect(violationOf(BatchPutEchoesRequestSchema, bytes)?.description).toBe(
    'the request has over 10000 elements in all',
  );
  const numbers = bytesOf(SourceCodeInfoSchema, { location: [{ path: many(10_001, 1) }] });
  expect(violationOf(SourceCodeInfoSchema, numbers)).toMatchObject({ field: 'location[0].path' });
});

test('a recursive message is counted to a limited depth', () => {
  let value: MessageInitShape<typeof ListValueSchema> = {};
  for (let depth = 0; depth < 60; depth++) value = { values: [{ kind: { case: 'listValue', value } }] };
  expect(() => countElements(ListValueSchema, bytesOf(ListValueSchema, value))).toThrow('nests too deep');
});

test('invalid bytes are an error, and unknown fields are skipped', () => {
  expect(() => countElements(PutEchoesRequestSchema, Buffer.from('1205', 'hex'))).toThrow();
  const unknown = Buffer.concat(many(1000, Buffer.from('f80701', 'hex')));
  expect(countElements(FileDescriptorProtoSchema, unknown)).toBe(0);
});
