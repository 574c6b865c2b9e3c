import { BlockList, isIP } from 'node:net';
import pg from 'pg';
import { type ConnectionOptions, parse } from 'pg-connection-string';

/** The server that a database URL names, as pg resolves it. Holds no password. */
export interface DatabaseUrl {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** True for a Unix socket and for loopback: the connection does not leave the machine. */
  readonly isLocal: boolean;
  /** True when pg connects with TLS or not at all. */
  readonly isEncrypted: boolean;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Returns the server that `url` names. What the URL leaves out comes from PGHOST and so on, as it does for pg.
 *
 * @throws Error that says what is wrong and never quotes the password.
 */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  const { host, port, database = '', user = '', ssl } = new pg.Client(clientConfig(url));
  return { host, port, database, user, isLocal: isLocalHost(host), isEncrypted: Boolean(ssl) };
}

/**
 * Returns the part of pg's configuration that `url` gives, with certificates read from their files. Spread it after the
 * code's own configuration: the URL wins. Settings of the session are left out; see `sessionStatement`.
 *
 * @throws Error as `parseDatabaseUrl`.
 */
export function clientConfig(url: string): pg.ClientConfig {
  const parsed = parseUrl(url);
  return withoutAbsent({
    host: parsed.host ?? undefined,
    port: Number(parsed.port) || undefined,
    user: parsed.user,
    password: parsed.password,
    database: parsed.database ?? undefined,
    // A string is one of pg's own words, such as no-verify.
    ssl: parsed.ssl as pg.ClientConfig['ssl'],
    sslnegotiation: parsed.sslnegotiation,
    application_name: parsed.application_name,
    fallback_application_name: parsed.fallback_application_name,
    options: parsed.options,
    query_timeout: Number(parsed.query_timeout) || undefined,
  } satisfies pg.ClientConfig);
}

/**
 * Returns what `url` says, parsed by pg's own parser.
 *
 * @throws Error as `parseDatabaseUrl`.
 */
export function parseUrl(url: string): ConnectionOptions {
  try {
    // A bare # or ? in the password ends the server's part of the URL: pg takes the user's name for the host.
    if (url.includes('#')) throw new Error('write # as %23');
    const parsed = parse(withEscapes(url));
    if (Object.keys(parsed).some((name) => name.includes('@'))) throw new Error('write ? as %3F');
    return parsed;
  } catch (error) {
    // The error is not passed on as the cause: an error of a URL holds the URL, and with it the password.
    throw new Error(`the database URL is not valid: ${(error as Error).message}`);
  }
}

/**
 * Escapes each % and space that pg accepts bare, so that pg does not escape the whole URL again: that would break the
 * `%2F` and `%3D` of a certificate's path and of options. Before the query, pg's own rule decides what is an escape.
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

/** Drops keys without a value, which would override the code's own when spread. */
function withoutAbsent<T extends object>(values: T): Partial<T> {
  const present = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(present) as Partial<T>;
}
