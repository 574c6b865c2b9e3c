import { type PeerScopes, parsePeerScopes, peerScopesFormat } from '../auth/peer-scopes.ts';
import type { Environment } from '../environment.ts';
import type { DeadlineMode } from '../interceptors/deadline.ts';
import type { TraceContextTrust } from '../interceptors/tracing.ts';
import { readTls } from '../tls/read-tls.ts';
import type { TlsConfig } from '../tls/tls-files.ts';

/** What every service of ours is told by its environment. */
export interface ServerConfig {
  /** `LISTEN_ADDRESS`: `host:port`, or `unix:/path`. */
  readonly listenAddress: string;
  /** `DEADLINE_MODE` */
  readonly deadlineMode: DeadlineMode;
  /**
   * `AUTH_JWKS` (file or URL), `AUTH_ISSUER`, `AUTH_AUDIENCE`: whose tokens are good.
   * `AUTH_CLOCK_TOLERANCE_SECONDS`: how far the issuer's clock may be off.
   */
  readonly auth: {
    readonly jwks: string;
    readonly issuer: string;
    readonly audience: string;
    readonly clockToleranceSeconds: number;
  };
  /** `AUTH_PEERS`: the services that need no token, by the SPIFFE ID of their certificate, and their scopes. */
  readonly peers: PeerScopes;
  /** `TRACE_CONTEXT`: whose trace context is continued, that of `AUTH_PEERS` or of all callers. */
  readonly traceContext: TraceContextTrust;
  /**
   * `TLS_MODE` (`off`, `tls`, `mtls`), `TLS_CERT`, `TLS_KEY`, `TLS_CA`: for the server, and for the clients through
   * which it calls others. Undefined is plain text.
   */
  readonly tls: TlsConfig | undefined;
  /** `DRAIN_TIMEOUT_MS`: how long a stopping server waits for the calls under way. */
  readonly drainTimeoutMs: number;
  /** `LOG_LEVEL` */
  readonly logLevel: string;
  /** `NODE_ENV` is `production`: no reflection, no development keys or certificates, and load balancers are waited for. */
  readonly production: boolean;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export function readServerConfig(environment: Environment, defaultAddress: string): ServerConfig {
  const tls = readTls(environment);
  return {
    listenAddress: environment.text('LISTEN_ADDRESS', 'host:port', defaultAddress),
    deadlineMode: environment.oneOf('DEADLINE_MODE', ['default', 'require'], 'default'),
    auth: {
      jwks: environment.text('AUTH_JWKS', 'the file or URL of a JWK Set'),
      issuer: environment.text('AUTH_ISSUER', "the tokens' issuer (iss)"),
      audience: environment.text('AUTH_AUDIENCE', "this service's name in tokens (aud)"),
      clockToleranceSeconds: environment.integer('AUTH_CLOCK_TOLERANCE_SECONDS', { min: 0, max: 60 }, 5),
    },
    peers: readPeers(environment, tls),
    traceContext: environment.oneOf('TRACE_CONTEXT', ['peers', 'all'], 'peers'),
    tls,
    drainTimeoutMs: environment.integer('DRAIN_TIMEOUT_MS', { min: 0, max: 600_000 }, 10_000),
    logLevel: environment.oneOf('LOG_LEVEL', logLevels, 'info'),
    production: environment.optionalText('NODE_ENV') === 'production',
  };
}

/** Without mTLS no caller has an identity: a list would only look as if it let somebody in. */
function readPeers(environment: Environment, tls: TlsConfig | undefined): PeerScopes {
  const isMutual = tls?.mode === 'mtls';
  const wants = isMutual ? peerScopesFormat : 'TLS_MODE=mtls';
  const parse = (text: string) => (isMutual ? parsePeerScopes(text) : undefined);
  return environment.parsed('AUTH_PEERS', wants, parse, new Map());
}
