import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CallCredentials, ChannelCredentials, experimental } from '@grpc/grpc-js';

/** Makes the TLS connections of a channel. */
export interface SecureConnections {
  /** Called before each connection. The connection waits for it. */
  prepare(): Promise<void>;
  /** Starts the handshake on a connected socket. The certificate has to be valid for `host`. */
  connect(socket: Socket, host: string): TLSSocket;
}

type Target = Parameters<ChannelCredentials['_createSecureConnector']>[0];

/**
 * Returns channel credentials that leave the handshake to `connections`. A subclass of a grpc-js class with underscored
 * methods: its own certificate providers cannot ask for TLS 1.3, fail every connection while a file is partly written, and
 * on Node 26 reach no target that is an IP address.
 */
export function createSecureChannelCredentials(connections: SecureConnections): ChannelCredentials {
  return new SecureChannelCredentials(connections);
}

/** Returns whether channels with these credentials are encrypted. grpc-js has no public way to ask. */
export function isSecure(credentials: ChannelCredentials): boolean {
  return credentials._isSecure();
}

class SecureChannelCredentials extends ChannelCredentials {
  readonly #connections: SecureConnections;

  constructor(connections: SecureConnections) {
    super();
    this.#connections = connections;
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
  ): experimental.SecureConnector {
    const host = hostOf(target);
    return {
      waitForReady: () => this.#connections.prepare(),
      connect: (socket) => whenSecure(this.#connections.connect(socket, host)),
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    };
  }
}

function whenSecure(socket: TLSSocket): Promise<experimental.SecureConnectResult> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', () => resolve({ socket, secure: true }));
    // Stays, so that a later error of the socket does not end the process.
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('closed before it was secure')));
  });
}

/** Returns the host of a target: `inventory` for `dns:///inventory:50052`. A Unix socket's server is on this machine. */
function hostOf({ scheme, path }: Target): string {
  if (scheme?.startsWith('unix')) return 'localhost';
  // `ipv4:` and `ipv6:` may list several addresses. grpc-js expects the name of the first one from all of them.
  const [first = ''] = path.split(',');
  return experimental.splitHostPort(first)?.host ?? first;
}
