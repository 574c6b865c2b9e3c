import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { expect, test } from 'vitest';
import { createLogger } from '../log.ts';
import { audience, issuer, makeSigningKeys } from '../testing/signing-keys.ts';
import { makeTestCertificates } from '../testing/test-certificates.ts';
import { developmentAuthority } from '../tls/tls-files.ts';
import { startService } from './start-service.ts';

test('ensure a service refuses certificates of development in production, and only there', async () => {
  await using keys = await makeSigningKeys();
  await using certificates = await makeTestCertificates(developmentAuthority);
  const tls = await certificates.write('inventory');
  const handlers = Object.fromEntries(InventoryService.methods.map(({ localName }) => [localName, () => {}]));
  const start = (production: boolean) =>
    startService({
      config: {
        listenAddress: '127.0.0.1:0',
        deadlineMode: 'default',
        auth: { jwks: keys.jwks, issuer, audience },
        peers: new Map(),
        tls,
        drainTimeoutMs: 1000,
        logLevel: 'silent',
        production,
      },
      log: createLogger({ service: 'test', level: 'silent' }),
      service: InventoryService,
      implementation: handlers as never,
      errors: () => undefined,
      ready: async () => {},
    });
  await expect(start(true)).rejects.toThrow(
    `${tls.certFile} is of the ${developmentAuthority}, which production does not accept`,
  );
  const service = await start(false);
  await service.drain();
});
