import { GetStockResponseSchema } from '@acme/gen/inventory/v1/inventory_service_pb';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { encodedBytes, preEncoded } from './encode-once.ts';

test('a response that is encoded in advance is sent as those bytes, and holds nothing else', () => {
  const response = create(GetStockResponseSchema, { stock: { sku: 'A' } });
  const encode = () => toBinary(GetStockResponseSchema, response);
  const standIn = preEncoded(GetStockResponseSchema, response);
  expect(standIn.stock).toBeUndefined();
  expect(encodedBytes(standIn, () => expect.unreachable())).toEqual(encode());
  expect(encodedBytes(standIn, encode)).toBe(encodedBytes(standIn, encode));
  expect(encodedBytes(response, encode)).toEqual(encode());
});
