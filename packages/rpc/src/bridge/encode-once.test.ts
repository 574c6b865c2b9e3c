import { GetStockResponseSchema } from '@acme/gen/inventory/v1/inventory_service_pb';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test, vi } from 'vitest';
import { encodedBytes, encodeOnce } from './encode-once.ts';

test('ensure only a response that is marked is encoded once for all', () => {
  const response = create(GetStockResponseSchema, { stock: { sku: 'A' } });
  const encode = vi.fn(() => toBinary(GetStockResponseSchema, response));
  expect(encodedBytes(response, encode)).not.toBe(encodedBytes(response, encode));
  encodeOnce(response);
  expect(encodedBytes(response, encode)).toBe(encodedBytes(response, encode));
  expect(encode).toHaveBeenCalledTimes(3);
});
