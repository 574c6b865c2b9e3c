import pg from 'pg';
import { parseUrl } from './connection-url.ts';

/** Settings of a session, by name. Times are in ms. */
export type SessionSettings = Readonly<Record<string, string | number>>;

/** What pg's decoding and the statements depend on, whatever the database, the role or the URL says. */
const required: SessionSettings = {
  // pg decodes timestamps, intervals and bytea from these forms.
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: 1,
  standard_conforming_strings: 'on',
  // Statements read, after ON CONFLICT DO NOTHING, what another transaction has committed meanwhile.
  default_transaction_isolation: 'read committed',
};

/** Where tables are found and made. `ALTER DATABASE ... SET search_path = ''` must not hide them. */
const defaults: SessionSettings = { search_path: '"$user", public' };

/** Settings that an operator may choose as parameters of the URL. */
const urlParameters = [
  'search_path',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
];

/**
 * Returns the statement that gives a new connection its settings: `chosen`, unless the URL says otherwise in a parameter
 * (`?statement_timeout=5000`) or in `options=-c ...`, and the settings that the code requires.
 *
 * They are not startup parameters, because PgBouncer refuses a connection that sends one it does not know (ADR 24).
 */
export function sessionStatement(url: string, chosen: SessionSettings): string {
  const parsed = parseUrl(url);
  const settings: Record<string, string | number> = { ...defaults, ...chosen };
  for (const name of urlParameters) if (parsed[name] !== undefined) settings[name] = String(parsed[name]);
  for (const name of namesIn(parsed.options ?? '')) delete settings[name];
  const calls = Object.entries({ ...settings, ...required }).map(
    ([name, value]) => `pg_catalog.set_config('${name}', ${pg.escapeLiteral(String(value))}, false)`,
  );
  return `SELECT ${calls.join(', ')}`;
}

/** Names of the settings in startup options, as in `-c lock_timeout=1s --jit=off`. */
function namesIn(options: string): string[] {
  const matches = options.matchAll(/(?:-c\s*|--)([\w.-]+)=/g);
  return Array.from(matches, ([, name = '']) => name.toLowerCase().replaceAll('-', '_'));
}
