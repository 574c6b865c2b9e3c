import type { SecureServerOptions } from 'node:http2';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { createReloadableServerCredentials } from '../grpc-js/internals/reloadable-server-credentials.ts';
import { openTlsFiles, type TlsConfig, type TlsFiles, type TlsOptions } from './tls-files.ts';

/** Contents are compared, not modification times: two writes may have the same time, and a link has another one. */
const rereadEveryMs = 1000;

/** Maximum duration of a handshake. Node's default is 120 s. */
const handshakeTimeoutMs = 5000;

/** The TLS of a server, for all of its ports. */
export interface ServerTls {
  readonly files: TlsFiles;
  readonly serverOptions: SecureServerOptions;
  /** Reads the files every second. Calls `onReplaced` when they have been replaced. Returns a function that stops it. */
  follow(onReplaced: (contextOptions: SecureContextOptions) => void): () => void;
}

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
  return grpcCredentials(await openServerTls(tls, options));
}

/** Opens the files of a server's TLS, as `serverCredentials` does. Undefined without a config. */
export async function openServerTls(
  tls: TlsConfig | undefined,
  options: TlsOptions,
): Promise<ServerTls | undefined> {
  if (!tls) return undefined;
  const isMutual = tls.mode === 'mtls';
  const files = await openTlsFiles({ pair: tls, caFile: isMutual ? tls.caFile : undefined }, options);
  return {
    files,
    serverOptions: {
      requestCert: isMutual,
      rejectUnauthorized: isMutual,
      handshakeTimeout: handshakeTimeoutMs,
    },
    follow: (onReplaced) => follow(files, onReplaced),
  };
}

/** Returns grpc-js's credentials for the TLS of a server; those of plain text without one. */
export function grpcCredentials(tls: ServerTls | undefined): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  let stop = () => {};
  const { credentials, replace } = createReloadableServerCredentials({
    serverOptions: tls.serverOptions,
    contextOptions: tls.files.current.contextOptions,
    onListening: () => {
      stop = tls.follow(replace);
    },
    onClosed: () => stop(),
  });
  return credentials;
}

function follow(files: TlsFiles, onReplaced: (contextOptions: SecureContextOptions) => void): () => void {
  let { current } = files;
  const reread = async () => {
    await files.refresh();
    if (files.current === current) return;
    current = files.current;
    onReplaced(current.contextOptions);
  };
  // Polled, because fs.watch reports nothing on many of the file systems that secrets are mounted from.
  const timer = setInterval(reread, rereadEveryMs).unref();
  return () => clearInterval(timer);
}
