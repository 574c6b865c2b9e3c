import { ServerCredentials } from '@grpc/grpc-js';
import { createReloadableServerCredentials } from '../grpc-js/internals/reloadable-server-credentials.ts';
import { openTlsFiles, type TlsConfig, type TlsOptions } from './tls-files.ts';

/** Contents are compared, not modification times: two writes may have the same time, and a link has another one. */
const rereadEveryMs = 1000;

/** Maximum duration of a handshake. Node's default is 120 s. */
const handshakeTimeoutMs = 5000;

/**
 * Opens the credentials of a server: TLS 1.3 with the pair in the files, and with `mtls` a client certificate that one
 * of the authorities in the CA file has signed. Without a config the server does not encrypt.
 *
 * The files are read again every second while a server listens. New connections use the new files, and open connections
 * stay as they are. Unusable files are logged, and the last good ones stay in use.
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
  const reread = async () => {
    const before = files.current;
    await files.refresh();
    if (files.current !== before) replace(files.current.contextOptions);
  };
  let timer: NodeJS.Timeout | undefined;
  const { credentials, replace } = createReloadableServerCredentials({
    serverOptions: {
      requestCert: isMutual,
      rejectUnauthorized: isMutual,
      handshakeTimeout: handshakeTimeoutMs,
    },
    contextOptions: files.current.contextOptions,
    onListening: () => {
      // Polled, because fs.watch reports nothing on many of the file systems that secrets are mounted from.
      timer = setInterval(reread, rereadEveryMs).unref();
    },
    onClosed: () => clearInterval(timer),
  });
  return credentials;
}
