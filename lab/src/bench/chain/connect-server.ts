// connect-node without interceptors, on plaintext HTTP/2.
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { stockAnswer } from './stock-answer.ts';

const handler = connectNodeAdapter({
  routes: (router) => router.service(InventoryService, { getStock: ({ sku }) => stockAnswer(sku) }),
});
const server = createServer(handler);
await once(server.listen(0, '127.0.0.1'), 'listening');
process.send?.({ port: (server.address() as AddressInfo).port });
