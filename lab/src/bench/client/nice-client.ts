// nice-grpc with its deadline middleware.
import { GetStockRequestSchema } from '@acme/gen/inventory/v1/inventory_service_pb';
import { create } from '@bufbuild/protobuf';
import { createChannel, createClientFactory, Metadata } from 'nice-grpc';
import { deadlineMiddleware } from 'nice-grpc-client-middleware-deadline';
import { niceDefinition } from '../chain/grpcjs-method.ts';
import { runCallers } from './run-callers.ts';

const [target = '', token = ''] = process.argv.slice(2);
const client = createClientFactory().use(deadlineMiddleware).create(niceDefinition, createChannel(target));
await runCallers(async () => {
  const { stock } = await client.getStock(create(GetStockRequestSchema, { sku: 'SAT-0001' }), {
    deadline: 10_000,
    metadata: Metadata({ authorization: `Bearer ${token}` }),
  });
  return stock as { sku: string } | undefined;
});
