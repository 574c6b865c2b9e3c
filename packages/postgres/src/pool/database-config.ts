import type { Environment } from '@acme/rpc/config';
import { DatabaseUrlError, parseDatabaseUrl, parseUrl } from './connection-url.ts';

/** The database settings of a service's environment. */
export interface DatabaseConfig {
  /**
   * `DATABASE_URL`. Production rejects one that leads to another machine without TLS, unless `ALLOW_PLAINTEXT_DATABASE` is
   * `true`, for a pooler or a mesh that encrypts.
   */
  readonly databaseUrl: string;
}

/** The sslmodes with which libpq falls back to plain text. pg 8 treats them as `verify-full`, pg 9 will do as libpq does. */
const opportunisticModes = ['allow', 'prefer'];

/** Reads the database settings. `environment.check` reports problems, without the URL. */
export function readDatabaseConfig(environment: Environment, production: boolean): DatabaseConfig {
  const databaseUrl = readDatabaseUrl(
    environment,
    'DATABASE_URL',
    "The service's database. Production rejects one on another machine without TLS.",
  );
  const isAllowed = environment.flag('ALLOW_PLAINTEXT_DATABASE', {
    meaning:
      'Lets production connect to a database on another machine without TLS, for a pooler or a mesh that encrypts.',
  });
  if (production && !isAllowed && problemOf(databaseUrl) === undefined && isRemoteInPlainText(databaseUrl))
    environment.addProblem(
      'DATABASE_URL',
      'it leads to another machine and does not require TLS',
      'sslmode=verify-full, or ALLOW_PLAINTEXT_DATABASE=true (NODE_ENV is production unless it is set)',
    );
  return { databaseUrl };
}

/** Reads a database URL. `environment.check` reports problems, without the URL. */
export function readDatabaseUrl(environment: Environment, name: string, meaning: string): string {
  const format = 'a URL that starts with postgres:// or postgresql://';
  return environment.text(name, { format, problemOf, meaning });
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
