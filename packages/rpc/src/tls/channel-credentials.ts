import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import { createSecureChannelCredentials } from '../grpc-js/internals/secure-channel-credentials.ts';
import { openTlsFiles, type TlsConfig, type TlsOptions } from './tls-files.ts';

export type { ChannelCredentials } from '@grpc/grpc-js';

/**
 * Opens the credentials of a client: TLS 1.3, a server certificate for the target's name or address from one of the
 * authorities in the CA file, and with `mtls` a client certificate. Without a config the client does not encrypt.
 *
 * The files are read again before each connection. Unusable files are logged, and the last good ones stay in use.
 *
 * @throws Error in one line when the files cannot be used at the start.
 */
export async function channelCredentials(
  tls: TlsConfig | undefined,
  options: TlsOptions,
): Promise<ChannelCredentials> {
  if (!tls) return ChannelCredentials.createInsecure();
  const pair = tls.mode === 'mtls' ? tls : undefined;
  const files = await openTlsFiles({ pair, caFile: tls.caFile }, options);
  return createSecureChannelCredentials({
    prepare: () => files.refresh(),
    connect: (socket, host) =>
      connect({
        socket,
        secureContext: files.current.context,
        host,
        // SNI holds names only (RFC 6066, section 3). Node throws for an address.
        ...(isIP(host) === 0 && { servername: host }),
        ALPNProtocols: ['h2'],
      }),
  });
}
