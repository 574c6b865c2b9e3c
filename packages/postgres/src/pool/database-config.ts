import type { Environment } from '@acme/rpc/config';
import { DatabaseUrlError, parseDatabaseUrl, parseUrl } from './connection-url.ts';

/** The database settings of a service's environment. */
export interface DatabaseConfig {
  /**
   * `DATABASE_URL`. Production rejects one that leads to another machine without TLS, unless `ALLOW_PLAINTEXT_DATABASE` is
   * `true`, for a pooler or a mesh that encrypts.
   */
  readonly databaseUrl: string;
  /**
   * `DATABASE_DIRECT_URL`: the same database without a pooler, for migrations and for the connection that listens for
   * changes. Defaults to `databaseUrl`.
   */
  readonly databaseDirectUrl: string;
}

/** The sslmodes with which libpq falls back to plain text. pg 8 treats them as `verify-full`, pg 9 will do as libpq does. */
const opportunisticModes = ['allow', 'prefer'];

const urlFormat = 'a URL that starts with postgres:// or postgresql://';

/** Reads the database settings. `environment.check` reports problems, without the URL. */
export function readDatabaseConfig(environment: Environment, production: boolean): DatabaseConfig {
  const databaseUrl = readDatabaseUrl(
    environment,
    'DATABASE_URL',
    "The service's database, or its pooler. Production rejects one on another machine without TLS.",
  );
  const directUrl = environment.optionalText('DATABASE_DIRECT_URL', {
    format: urlFormat,
    problemOf,
    meaning:
      'The same database without a pooler, for migrations and for the connection that listens for changes. Required if ' +
      '`DATABASE_URL` leads to a pooler such as PgBouncer.',
  });
  const isAllowed = environment.flag('ALLOW_PLAINTEXT_DATABASE', {
    meaning:
      'Lets production connect to a database on another machine without TLS, for a pooler or a mesh that encrypts.',
  });
  const urls = { DATABASE_URL: databaseUrl, DATABASE_DIRECT_URL: directUrl };
  for (const [name, url] of Object.entries(urls)) {
    if (!production || isAllowed || url === undefined || problemOf(url) !== undefined) continue;
    if (!isRemoteInPlainText(url)) continue;
    environment.addProblem(
      name,
      'it leads to another machine and does not require TLS',
      'sslmode=verify-full, or ALLOW_PLAINTEXT_DATABASE=true (NODE_ENV is production unless it is set)',
    );
  }
  return { databaseUrl, databaseDirectUrl: directUrl ?? databaseUrl };
}

/** Reads a database URL. `environment.check` reports problems, without the URL. */
export function readDatabaseUrl(environment: Environment, name: string, meaning: string): string {
  return environment.text(name, { format: urlFormat, problemOf, meaning });
}

function problemOf(url: string): string | undefined {
  if (!/^postgres(ql)?:\/\//.test(url)) return 'it is not a PostgreSQL URL';
  try {
    parseDatabaseUrl(url);
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseUrlError) return error.problem;
    throw error;
  }
}

/** Accepts TLS without verification, because `no-verify` states that in the URL itself. */
function isRemoteInPlainText(url: string): boolean {
  const { isLocal, isEncrypted } = parseDatabaseUrl(url);
  return !isLocal && (!isEncrypted || opportunisticModes.includes(String(parseUrl(url).sslmode)));
}
