import type { PostgresProxy, TrapOptions } from '../../cluster/postgres-proxy.ts';
import { withTimeout } from '../../harness/with-timeout.ts';

const trapTimeoutMs = 60_000;

/** Waits until the proxy has caught a statement and `act` has resolved. Rejects if there is none within a minute. */
export async function catchStatement(proxy: PostgresProxy, options: TrapOptions): Promise<void> {
  await withTimeout(trapTimeoutMs, `the ${options.phase} of ${options.statement}`, proxy.trap(options));
}
