import type { Environment } from '@acme/rpc/config/environment';
import { parseDatabaseUrl, parseUrl } from './connection-url.ts';

/** The settings of the database that a service reads from its environment. */
export interface DatabaseConfig {
  /**
   * `DATABASE_URL`. Production refuses one that leads to another machine without TLS, unless `ALLOW_PLAINTEXT_DATABASE`
   * is `true`: for a pooler or a mesh that encrypts.
   */
  readonly databaseUrl: string;
}

/** Modes with which libpq falls back to plain text. pg treats them as `verify-full`, and its next version as libpq does. */
const opportunisticModes = ['allow', 'prefer'];

/** Reads the settings of the database. Problems are reported by `environment.check`, and never quote the URL. */
export function readDatabaseConfig(environment: Environment, production: boolean): DatabaseConfig {
  const databaseUrl = readDatabaseUrl(
    environment,
    'DATABASE_URL',
    "The service's database. Production refuses one on another machine without TLS.",
  );
  const isAllowed = environment.flag('ALLOW_PLAINTEXT_DATABASE', {
    meaning: 'Lets production reach another machine without TLS, for a pooler or a mesh that encrypts.',
  });
  if (production && !isAllowed && problemOf(databaseUrl) === undefined && isRemoteInPlainText(databaseUrl))
    environment.refuse(
      'DATABASE_URL',
      'it leads to another machine, and does not insist on TLS',
      'sslmode=verify-full, or ALLOW_PLAINTEXT_DATABASE=true (NODE_ENV is production unless it is set)',
    );
  return { databaseUrl };
}

/** Reads a database URL, whose problems never quote it. */
export function readDatabaseUrl(environment: Environment, name: string, meaning: string): string {
  const format = 'a URL that starts with postgres:// or postgresql://';
  return environment.text(name, { format, problemOf, meaning });
}

function problemOf(url: string): string | undefined {
  if (!/^postgres(ql)?:\/\//.test(url)) return 'it is no URL of PostgreSQL';
  try {
    parseDatabaseUrl(url);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace('the database URL is not valid: ', '');
  }
}

/** TLS counts with and without verification: `no-verify` says in the URL itself what it gives up. */
function isRemoteInPlainText(url: string): boolean {
  const { isLocal, isEncrypted } = parseDatabaseUrl(url);
  return !isLocal && (!isEncrypted || opportunisticModes.includes(String(parseUrl(url).sslmode)));
}
