import { ServerCredentials } from '@grpc/grpc-js';
import { openTlsFiles, type TlsConfig, type TlsFiles, type TlsOptions } from './tls-files.ts';

/** How often the files are read again. Contents, not times: two writes may have one time, and a link another's. */
const rereadEveryMs = 1000;

/** How long a connection may take to shake hands; Node would leave a silent one 120 s. */
const handshakeTimeoutMs = 5000;

/**
 * What a server shows and asks for: TLS 1.3 with the pair in the files, and with `mtls` a certificate of the client
 * that one of the authorities in the CA file has signed. Without a config the server speaks plain text.
 *
 * New connections get what is in the files now, those that are open stay as they are. Files that cannot be used are
 * logged, and the last good ones stay. The files are watched while a server listens with these credentials.
 *
 * @throws Error in one line when the files cannot be used at the start.
 */
export async function serverCredentials(
  tls: TlsConfig | undefined,
  options: TlsOptions,
): Promise<ServerCredentials> {
  if (!tls) return ServerCredentials.createInsecure();
  const isMutual = tls.mode === 'mtls';
  const files = await openTlsFiles({ pair: tls, caFile: isMutual ? tls.caFile : undefined }, options);
  return new ReloadedServerCredentials(files, isMutual);
}

type Watcher = Parameters<ServerCredentials['_addWatcher']>[0];

/**
 * A class, because grpc-js asks for an instance. Its own certificate providers cannot ask for TLS 1.3, and drop
 * every connection until their first reading and while a file is torn.
 */
class ReloadedServerCredentials extends ServerCredentials {
  readonly #files: TlsFiles;
  #timer: NodeJS.Timeout | undefined;

  constructor(files: TlsFiles, requestCert: boolean) {
    super(
      { requestCert, rejectUnauthorized: requestCert, handshakeTimeout: handshakeTimeoutMs },
      files.current.contextOptions,
    );
    this.#files = files;
  }

  /** grpc-js adds one for each address that it listens on. */
  override _addWatcher(watcher: Watcher): void {
    super._addWatcher(watcher);
    // Polled, because fs.watch says nothing on many of the file systems that secrets are mounted from.
    this.#timer ??= setInterval(() => this.#reread(), rereadEveryMs).unref();
  }

  /** Called when the server has stopped listening. */
  override _removeWatcher(watcher: Watcher): void {
    super._removeWatcher(watcher);
    if (this.getWatcherCount() > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }

  async #reread(): Promise<void> {
    const before = this.#files.current;
    await this.#files.refresh();
    if (this.#files.current !== before) this.updateSecureContextOptions(this.#files.current.contextOptions);
  }
}
