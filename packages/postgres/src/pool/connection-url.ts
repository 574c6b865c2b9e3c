import { BlockList, isIP } from 'node:net';
import pg from 'pg';
import { type ConnectionOptions, parse } from 'pg-connection-string';

/** The server of a database URL, as pg resolves it, without the password. */
export interface DatabaseUrl {
  /** A name, an address, or the folder of a Unix domain socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Whether the connection stays on the machine: a Unix domain socket, or loopback. */
  readonly isLocal: boolean;
  /** Whether pg connects only with TLS. */
  readonly isEncrypted: boolean;
}

/** A database URL is invalid. Neither the message nor `problem` quotes the URL, which holds the password. */
export class DatabaseUrlError extends Error {
  override name = 'DatabaseUrlError';
  readonly problem: string;

  constructor(problem: string) {
    super(`the database URL is not valid: ${problem}`);
    this.problem = problem;
  }
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Returns the server of `url`. Parts that the URL omits come from PGHOST and so on, as for pg.
 *
 * @throws DatabaseUrlError
 */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  const { host, port, database = '', user = '', ssl } = new pg.Client(clientConfig(url));
  return { host, port, database, user, isLocal: isLocalHost(host), isEncrypted: Boolean(ssl) };
}

/**
 * Returns the part of pg's configuration that `url` sets, with certificates read from their files. Spread it after the
 * code's own configuration, because the URL takes precedence. It omits settings of the session; see `sessionStatement`.
 *
 * @throws DatabaseUrlError
 */
export function clientConfig(url: string): pg.ClientConfig {
  const parsed = parseUrl(url);
  return withoutAbsent({
    host: parsed.host ?? undefined,
    port: Number(parsed.port) || undefined,
    user: parsed.user,
    password: parsed.password,
    database: parsed.database ?? undefined,
    // A string is one of pg's keywords, such as no-verify.
    ssl: parsed.ssl as pg.ClientConfig['ssl'],
    sslnegotiation: parsed.sslnegotiation,
    application_name: parsed.application_name,
    fallback_application_name: parsed.fallback_application_name,
    options: parsed.options,
    query_timeout: Number(parsed.query_timeout) || undefined,
  } satisfies pg.ClientConfig);
}

/**
 * Returns the parameters of `url`, parsed by pg's own parser.
 *
 * @throws DatabaseUrlError
 */
export function parseUrl(url: string): ConnectionOptions {
  try {
    // A bare # or ? in the password ends the server's part of the URL, and pg takes the user's name for the host.
    if (url.includes('#')) throw new Error('write # as %23');
    const parsed = parse(withEscapes(url));
    if (Object.keys(parsed).some((name) => name.includes('@'))) throw new Error('write ? as %3F');
    return parsed;
  } catch (error) {
    // Without a cause: the error of a URL holds the URL, and with it the password.
    throw new DatabaseUrlError((error as Error).message);
  }
}

/**
 * Escapes each % and space that pg accepts bare. Otherwise pg escapes the whole URL again, which breaks the `%2F` and `%3D`
 * of a certificate's path and of options. Before the query, pg's own rule decides which % begins an escape.
 */
function withEscapes(url: string): string {
  const at = url.includes('?') ? url.indexOf('?') : url.length;
  const [server, query] = [url.slice(0, at), url.slice(at)];
  const isBare = / |%[^a-f0-9]|%[a-f0-9][^a-f0-9]/i.test(server);
  const escaped = isBare ? server.replace(/%(?!\d\d)/g, '%25') : server;
  return (escaped + query.replace(/%(?![a-f0-9]{2})/gi, '%25')).replaceAll(' ', '%20');
}

function isLocalHost(host: string): boolean {
  if (host.startsWith('/') || host === 'localhost') return true;
  const version = isIP(host);
  return version !== 0 && loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

/** Removes keys without a value, which would override the code's own when spread. */
function withoutAbsent<T extends object>(values: T): Partial<T> {
  const present = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(present) as Partial<T>;
}
