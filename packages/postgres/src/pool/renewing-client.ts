import pg from 'pg';
import { clientConfig } from './connection-url.ts';

/**
 * Returns a class of clients for `url`, each of which reads the certificates that the URL names again, so that renewed ones
 * are used without a restart. While a file is missing the last ones hold.
 *
 * @throws Error as `clientConfig`, now; never for a client.
 */
export function renewingClient(url: string): new (options?: pg.ClientConfig) => pg.Client {
  let config = clientConfig(url);
  return class extends pg.Client {
    constructor(options?: pg.ClientConfig) {
      try {
        config = clientConfig(url);
      } catch {
        // The file is being replaced.
      }
      super({ ...options, ...config });
    }
  };
}
