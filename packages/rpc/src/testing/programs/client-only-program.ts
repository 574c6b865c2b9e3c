/** Makes a call that nobody answers. Unlike a server it imports grpc-js as a module of ESM only. */

import '../../telemetry/register.ts';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createClient } from '../../client/create-client.ts';
import { shutdownTelemetry } from '../../telemetry/telemetry.ts';
import { rejectionOf } from '../rejection-of.ts';

{
  using client = createClient(InventoryService, { target: 'unix:/nobody/listens/here.sock' });
  await rejectionOf(client.releaseStock({}));
}
await shutdownTelemetry();
process.exit();
