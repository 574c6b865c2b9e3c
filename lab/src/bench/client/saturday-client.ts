// Saturday's client, with deadlines, retries, token, context and tracing.
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { startNullTelemetry } from '../chain/null-telemetry.ts';
import { runCallers } from './run-callers.ts';

startNullTelemetry();
const { createClient } = await import('@acme/rpc/client');

const [target = '', token = ''] = process.argv.slice(2);
const client = createClient(InventoryService, { target, token: () => token });
await runCallers(async () => (await client.getStock({ sku: 'SAT-0001' }, { deadlineMs: 10_000 })).stock);
