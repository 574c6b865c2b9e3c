// The gRPC transport of connect-node, on HTTP/2.
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { runCallers } from './run-callers.ts';

const [target = '', token = ''] = process.argv.slice(2);
const client = createClient(InventoryService, createGrpcTransport({ baseUrl: `http://${target}` }));
const headers = { authorization: `Bearer ${token}` };
await runCallers(
  async () => (await client.getStock({ sku: 'SAT-0001' }, { headers, timeoutMs: 10_000 })).stock,
);
