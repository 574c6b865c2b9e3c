import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { GetEchoResponseSchema } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { preEncoded, preEncodedBytes } from './pre-encoded.ts';

test('a pre-encoded response is sent as its bytes, and keeps no fields', () => {
  const response = create(GetEchoResponseSchema, { echo: { key: 'A' } });
  const placeholder = preEncoded(GetEchoResponseSchema, response);
  expect(placeholder.echo).toBeUndefined();
  expect(preEncodedBytes(placeholder)).toEqual(toBinary(GetEchoResponseSchema, response));
  expect(preEncodedBytes(placeholder)).toBe(preEncodedBytes(placeholder));
  expect(preEncodedBytes(response)).toBeUndefined();
});
