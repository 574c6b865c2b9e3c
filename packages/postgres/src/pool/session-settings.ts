import pg from 'pg';
import { parseUrl } from './connection-url.ts';

/** Settings of a session by name. Times are in ms. */
export type SessionSettings = Readonly<Record<string, string | number>>;

/** Settings that pg's decoding and the statements depend on. They override those of the database, the role and the URL. */
const required: SessionSettings = {
  // pg decodes timestamps, intervals and bytea in these formats.
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: 1,
  standard_conforming_strings: 'on',
  // After ON CONFLICT DO NOTHING, statements read the row that another transaction has committed meanwhile.
  default_transaction_isolation: 'read committed',
};

/** Settings that the URL overrides. `ALTER DATABASE ... SET search_path = ''` must not hide the tables. */
const defaults: SessionSettings = { search_path: '"$user", public' };

/** Settings that an operator may set as parameters of the URL. */
const urlParameters = [
  'search_path',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
];

/**
 * Returns the settings of a new connection: `chosen`, unless the URL overrides it by a parameter
 * (`?statement_timeout=5000`) or by `options=-c ...`, and the settings that the code requires.
 *
 * They are not startup parameters, because PgBouncer rejects a connection with an unknown one (ADR 24).
 */
export function sessionSettings(url: string, chosen: SessionSettings): SessionSettings {
  const parsed = parseUrl(url);
  const settings: Record<string, string | number> = { ...defaults, ...chosen };
  for (const name of urlParameters) if (parsed[name] !== undefined) settings[name] = String(parsed[name]);
  for (const name of namesIn(parsed.options ?? '')) delete settings[name];
  return { ...settings, ...required };
}

/** Returns the expressions that give a session its settings, or its transaction if the SQL condition `isLocal` is true. */
export function settingCalls(settings: SessionSettings, isLocal: string): string {
  return Object.entries(settings)
    .map(
      ([name, value]) => `pg_catalog.set_config('${name}', ${pg.escapeLiteral(String(value))}, ${isLocal})`,
    )
    .join(', ');
}

/** Returns the statement that gives a session its settings; see `sessionSettings`. */
export function sessionStatement(url: string, chosen: SessionSettings): string {
  return `SELECT ${settingCalls(sessionSettings(url, chosen), 'false')}`;
}

/**
 * Returns the statements that begin a transaction with these settings. `default_transaction_isolation` has no effect on the
 * running transaction.
 */
export function beginStatement(settings: SessionSettings): string {
  return `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT ${settingCalls(settings, 'true')}`;
}

/** Returns the names of the settings in startup options such as `-c lock_timeout=1s --jit=off`. */
function namesIn(options: string): string[] {
  const matches = options.matchAll(/(?:-c\s*|--)([\w.-]+)=/g);
  return Array.from(matches, ([, name = '']) => name.toLowerCase().replaceAll('-', '_'));
}
