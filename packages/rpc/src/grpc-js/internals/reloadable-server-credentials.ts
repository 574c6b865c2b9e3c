import type { SecureServerOptions } from 'node:http2';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';

export interface ReloadableServerCredentialsOptions {
  readonly serverOptions: SecureServerOptions;
  readonly contextOptions: SecureContextOptions;
  /** Called when a server starts to listen with these credentials. */
  readonly onListening: () => void;
  /** Called when the last server has stopped listening. */
  readonly onClosed: () => void;
}

export interface ReloadableServerCredentials {
  readonly credentials: ServerCredentials;
  /** Uses this certificate and these authorities for new connections. Open connections stay as they are. */
  replace(contextOptions: SecureContextOptions): void;
}

/**
 * Returns server credentials whose certificate can be replaced while servers listen. A subclass of a grpc-js class with
 * underscored methods: its own certificate providers cannot ask for TLS 1.3, and drop every connection until their first
 * reading and while a file is partly written.
 */
export function createReloadableServerCredentials(
  options: ReloadableServerCredentialsOptions,
): ReloadableServerCredentials {
  const credentials = new ReplaceableCredentials(options);
  return { credentials, replace: (contextOptions) => credentials.replace(contextOptions) };
}

type Watcher = Parameters<ServerCredentials['_addWatcher']>[0];

class ReplaceableCredentials extends ServerCredentials {
  readonly #onListening: () => void;
  readonly #onClosed: () => void;

  constructor(options: ReloadableServerCredentialsOptions) {
    super(options.serverOptions, options.contextOptions);
    this.#onListening = options.onListening;
    this.#onClosed = options.onClosed;
  }

  replace(contextOptions: SecureContextOptions): void {
    this.updateSecureContextOptions(contextOptions);
  }

  /** grpc-js adds a watcher for each address that it listens on. */
  override _addWatcher(watcher: Watcher): void {
    super._addWatcher(watcher);
    if (this.getWatcherCount() === 1) this.#onListening();
  }

  /** grpc-js removes it when the server has stopped listening. */
  override _removeWatcher(watcher: Watcher): void {
    super._removeWatcher(watcher);
    if (this.getWatcherCount() === 0) this.#onClosed();
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
