// The full chain of Saturday's services: `saturday-server.ts JWKS ISSUER AUDIENCE`. It logs to stdout.
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { getStockOnly } from '../load/get-stock-only.ts';
import { startNullTelemetry } from './null-telemetry.ts';
import { stockAnswer } from './stock-answer.ts';

// Before the imports that create meters.
startNullTelemetry();
const { createJwtVerifier } = await import('@acme/rpc/server');
const { serverChain } = await import('@acme/rpc/server');
const { createLogger } = await import('@acme/rpc/logging');
const { serve } = await import('@acme/rpc/server');
const { startServer } = await import('@acme/rpc/server');

const log = createLogger({ service: 'bench', level: 'info' });
const [jwks = '', issuer = '', audience = ''] = process.argv.slice(2);
const tokens = await createJwtVerifier({
  jwks,
  issuer,
  audience,
  clockToleranceSeconds: 5,
  developmentKeys: false,
  now: Date.now,
  log,
});
const { port } = await startServer({
  address: '127.0.0.1:0',
  services: [
    serve(
      InventoryService,
      getStockOnly(async ({ sku }) => stockAnswer(sku)),
    ),
  ],
  chain: (openStreams) =>
    serverChain({ openStreams, errorMap: () => undefined, deadlineMode: 'default', tokens }),
  log,
  reflection: false,
});
process.send?.({ port });
