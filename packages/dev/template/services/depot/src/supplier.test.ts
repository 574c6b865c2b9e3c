// <calls>
import { SupplierService } from '@acme/gen/supplier/v1/supplier_service_pb';
import { CircuitOpenError } from '@acme/rpc/client';
import { createLogger } from '@acme/rpc/logging';
import { callWithEmpty, rejectionOf, testServerConfig } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { openSupplier } from './supplier.ts';

test('calls fail while supplier is away, and after a few of them at once', async () => {
  const log = createLogger({ service: 'depot', level: 'silent' });
  // Nothing listens on port 1.
  const config = { target: '127.0.0.1:1', tokenFile: undefined };
  using supplier = await openSupplier(config, { server: testServerConfig(), log });
  const method = SupplierService.methods[0] ?? expect.unreachable();
  const call = () =>
    rejectionOf(supplier.circuitBreaker.execute(() => callWithEmpty(supplier.client, method)));
  const rejections: unknown[] = [];
  for (let count = 0; count < 6; count++) rejections.push(await call());
  expect(rejections.at(0)).not.toBeInstanceOf(CircuitOpenError);
  expect(rejections.at(-1)).toBeInstanceOf(CircuitOpenError);
});
// </calls>
