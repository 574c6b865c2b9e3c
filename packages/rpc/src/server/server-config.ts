import { jwksFormat, jwksProblem } from '../auth/key-set-source.ts';
import { type PeerScopes, parsePeerScopes, peerScopesFormat } from '../auth/peer-scopes.ts';
import type { DeadlineMode } from '../chain/deadline.ts';
import type { TraceContextTrust } from '../chain/tracing.ts';
import { listenAddressFormat, listenAddressProblem } from '../config/address.ts';
import type { Environment } from '../config/environment.ts';
import { readProduction } from '../config/node-environment.ts';
import { isLoopback } from '../tls/loopback.ts';
import { readTls } from '../tls/read-tls.ts';
import type { TlsConfig } from '../tls/tls-files.ts';
import { readWebConfig, type WebConfig } from './web-config.ts';

/** The tokens that a server accepts. */
interface TokenConfig {
  readonly jwks: string;
  readonly issuer: string;
  readonly audience: string;
  readonly clockToleranceSeconds: number;
}

/** The settings that every service reads from its environment. */
export interface ServerConfig {
  /**
   * `LISTEN_ADDRESS`: `host:port`, `[ipv6]:port` or `unix:/path`. Production rejects an address that other machines can
   * reach without TLS, unless `ALLOW_PLAINTEXT_LISTEN` is `true`, for a mesh whose proxies encrypt.
   */
  readonly listenAddress: string;
  /** `WEB_LISTEN_ADDRESS` and `WEB_ORIGINS`: the port for browsers. Undefined if it is off. */
  readonly web?: WebConfig | undefined;
  /** `DEADLINE_MODE` */
  readonly deadlineMode: DeadlineMode;
  /**
   * `AUTH_JWKS` (file or https URL), `AUTH_ISSUER`, `AUTH_AUDIENCE`: the accepted tokens. Each service has an audience of
   * its own. Otherwise a service could replay a token that it receives against another service.
   * `AUTH_CLOCK_TOLERANCE_SECONDS`: maximum deviation of the issuer's clock. Undefined if the server accepts no tokens.
   */
  readonly auth: TokenConfig | undefined;
  /** `AUTH_PEERS`: services that authenticate by the SPIFFE ID of their certificate instead of a token, with scopes. */
  readonly peers: PeerScopes;
  /** `TRACE_CONTEXT`: callers whose trace context is continued, those of `AUTH_PEERS` or all. */
  readonly traceContext: TraceContextTrust;
  /**
   * `TLS_MODE` (`off`, `tls`, `mtls`), `TLS_CERT`, `TLS_KEY`, `TLS_CA`: for the server and for its clients of other
   * services. Undefined means plain text.
   */
  readonly tls: TlsConfig | undefined;
  /** `DRAIN_TIMEOUT_MS`: time that a stopping server waits for the calls in flight. */
  readonly drainTimeoutMs: number;
  /** `LOG_LEVEL` */
  readonly logLevel: string;
  /**
   * `NODE_ENV` is `production` or absent: no reflection, no channelz, no development keys or certificates, and a stopping
   * server first waits for load balancers.
   */
  readonly production: boolean;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export interface ReadServerConfigOptions {
  /**
   * `optional` for a server all of whose methods are anonymous: without `AUTH_JWKS`, `AUTH_ISSUER` and `AUTH_AUDIENCE` it
   * accepts no tokens. Default: `required`.
   */
  readonly auth?: 'required' | 'optional';
}

/** Reads the settings of a server. `environment.check` reports invalid ones. */
export function readServerConfig(
  environment: Environment,
  defaultAddress: string,
  { auth = 'required' }: ReadServerConfigOptions = {},
): ServerConfig {
  const production = readProduction(environment);
  const tls = readTls(environment);
  const listenAddress = readListenAddress(environment, defaultAddress);
  const web = readWebConfig(environment, production);
  const isPlaintextAllowed = environment.flag('ALLOW_PLAINTEXT_LISTEN', {
    meaning:
      'Lets production listen on addresses other than loopback without TLS, for a mesh whose proxies encrypt.',
  });
  if (production && tls === undefined && !isPlaintextAllowed) {
    requireLoopback(environment, 'LISTEN_ADDRESS', listenAddress);
    if (web) requireLoopback(environment, 'WEB_LISTEN_ADDRESS', web.address);
  }
  return {
    listenAddress,
    web,
    deadlineMode: environment.oneOf('DEADLINE_MODE', {
      choices: ['default', 'require'],
      default: 'default',
      meaning:
        "Deadline of a call that has none: the contract's (`default`). With `require` such a call is INVALID_ARGUMENT.",
    }),
    auth: readAuth(environment, auth === 'required'),
    peers: readPeers(environment, tls),
    traceContext: environment.oneOf('TRACE_CONTEXT', {
      choices: ['peers', 'all'],
      default: 'peers',
      meaning: 'Callers whose trace context is continued: those in `AUTH_PEERS`, or all.',
    }),
    tls,
    drainTimeoutMs: environment.integer('DRAIN_TIMEOUT_MS', {
      min: 0,
      max: 600_000,
      default: 10_000,
      meaning: 'Maximum time in milliseconds that a stopping server waits for calls in flight.',
    }),
    logLevel: environment.oneOf('LOG_LEVEL', {
      choices: logLevels,
      default: 'info',
      meaning: 'Lowest level that is logged. At `info` each call is a line.',
    }),
    production,
  };
}

function readListenAddress(environment: Environment, fallback: string): string {
  return environment.text('LISTEN_ADDRESS', {
    format: listenAddressFormat,
    problemOf: listenAddressProblem,
    default: fallback,
    meaning: 'Address of the gRPC server. Port 0 is any free port.',
  });
}

function requireLoopback(environment: Environment, name: string, address: string): void {
  if (isLoopback(address)) return;
  environment.addProblem(
    'TLS_MODE',
    `TLS is off on ${address}, which other machines reach`,
    `tls or mtls, a loopback ${name}, or ALLOW_PLAINTEXT_LISTEN=true (NODE_ENV is production unless it is set)`,
  );
}

const tokenSettings = {
  AUTH_JWKS: {
    format: jwksFormat,
    problemOf: jwksProblem,
    meaning: "The issuer's public keys. They are read periodically ([keys](keys.md)).",
  },
  AUTH_ISSUER: {
    format: "the tokens' issuer (iss)",
    problemOf: spaceProblem,
    meaning: 'Issuer of accepted tokens.',
  },
  AUTH_AUDIENCE: {
    format: "this service's own name in tokens (aud)",
    problemOf: spaceProblem,
    meaning:
      'Audience of accepted tokens. Each service has its own, so that it cannot replay a token at another service.',
  },
};

/** Returns undefined if tokens are optional and none of their settings is set. If one is set, all are required. */
function readAuth(environment: Environment, isRequired: boolean): TokenConfig | undefined {
  const settings = Object.entries(tokenSettings);
  const isSet =
    isRequired || settings.some(([name, spec]) => environment.optionalText(name, spec) !== undefined);
  const text = (name: keyof typeof tokenSettings) =>
    isSet ? environment.text(name, tokenSettings[name]) : '';
  const auth = {
    jwks: text('AUTH_JWKS'),
    issuer: text('AUTH_ISSUER'),
    audience: text('AUTH_AUDIENCE'),
    clockToleranceSeconds: environment.integer('AUTH_CLOCK_TOLERANCE_SECONDS', {
      min: 0,
      max: 60,
      default: 5,
      meaning: "Tolerated difference in seconds between the issuer's clock and this machine's.",
    }),
  };
  return isSet ? auth : undefined;
}

function spaceProblem(text: string): string | undefined {
  return /\s/.test(text) ? 'it contains a space' : undefined;
}

/** Reads `AUTH_PEERS`. */
function readPeers(environment: Environment, tls: TlsConfig | undefined): PeerScopes {
  const peers = environment.optionalParsed('AUTH_PEERS', {
    format: peerScopesFormat,
    parse: parsePeerScopes,
    meaning:
      'Services that need no token, by the SPIFFE ID of their certificate, with their scopes. Requires `TLS_MODE=mtls`.',
  });
  if (peers && tls?.mode !== 'mtls')
    environment.addProblem('AUTH_PEERS', 'without mTLS no caller presents a certificate', 'TLS_MODE=mtls');
  return peers ?? new Map();
}
