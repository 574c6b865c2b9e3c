import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { GetEchoResponseSchema } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { encodedBytes, preEncoded } from './pre-encoded.ts';

test('a pre-encoded response is sent as its bytes, and keeps no fields', () => {
  const response = create(GetEchoResponseSchema, { echo: { key: 'A' } });
  const encode = () => toBinary(GetEchoResponseSchema, response);
  const standIn = preEncoded(GetEchoResponseSchema, response);
  expect(standIn.echo).toBeUndefined();
  expect(encodedBytes(standIn, () => expect.unreachable())).toEqual(encode());
  expect(encodedBytes(standIn, encode)).toBe(encodedBytes(standIn, encode));
  expect(encodedBytes(response, encode)).toEqual(encode());
});
