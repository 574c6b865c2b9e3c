import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { CallCredentials, ChannelCredentials, experimental } from '@grpc/grpc-js';
import { openTlsFiles, type TlsConfig, type TlsFiles, type TlsOptions } from './tls-files.ts';

export type { ChannelCredentials } from '@grpc/grpc-js';

/**
 * What a client shows and asks for: TLS 1.3, a server certificate for the target's name or address from one of the
 * authorities in the CA file, and with `mtls` the pair in the files as its own. Without a config the client speaks
 * plain text.
 *
 * The files are read again before each connection is made, so nothing needs to watch them; those that cannot be used
 * are logged, and the last good ones stay.
 *
 * @throws Error in one line when the files cannot be used at the start.
 */
export async function channelCredentials(
  tls: TlsConfig | undefined,
  options: TlsOptions,
): Promise<ChannelCredentials> {
  if (!tls) return ChannelCredentials.createInsecure();
  const pair = tls.mode === 'mtls' ? tls : undefined;
  return new ReloadedChannelCredentials(await openTlsFiles({ pair, caFile: tls.caFile }, options));
}

type Connection = experimental.SecureConnector;
type Target = Parameters<ChannelCredentials['_createSecureConnector']>[0];

/**
 * A class, because grpc-js asks for an instance. Its own certificate providers cannot ask for TLS 1.3, fail every
 * connection while a file is torn, and on Node 26 reach no target that is an IP address.
 */
class ReloadedChannelCredentials extends ChannelCredentials {
  readonly #files: TlsFiles;

  constructor(files: TlsFiles) {
    super();
    this.#files = files;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    target: Target,
    _options: unknown,
    callCredentials = CallCredentials.createEmpty(),
  ): Connection {
    const host = hostOf(target);
    return {
      waitForReady: () => this.#files.refresh(),
      connect: (socket) => this.#connect(socket, host),
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    };
  }

  #connect(socket: Parameters<Connection['connect']>[0], host: string): ReturnType<Connection['connect']> {
    return new Promise((resolve, reject) => {
      const secureSocket = connect({
        socket,
        secureContext: this.#files.current.context,
        // Against this the certificate is checked.
        host,
        // An address is no name that SNI could hold (RFC 6066, section 3): Node throws.
        ...(isIP(host) === 0 && { servername: host }),
        ALPNProtocols: ['h2'],
      });
      secureSocket.once('secureConnect', () => resolve({ socket: secureSocket, secure: true }));
      secureSocket.on('error', reject);
      secureSocket.once('close', () => reject(new Error('closed before it was secure')));
    });
  }
}

/** The host of a target: `inventory` of `dns:///inventory:50052`. A Unix socket's server is this machine. */
function hostOf({ scheme, path }: Target): string {
  if (scheme?.startsWith('unix')) return 'localhost';
  // `ipv4:` and `ipv6:` may list several addresses; grpc-js holds all of them to the first one's name.
  const [first = ''] = path.split(',');
  return experimental.splitHostPort(first)?.host ?? first;
}
