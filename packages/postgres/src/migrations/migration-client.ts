import pg from 'pg';
import { clientConfig } from '../pool/connection-url.ts';
import { isPooledSql } from '../pool/pooler.ts';

/**
 * Opens the connection of a migration.
 *
 * @throws Error that names the server when it cannot be reached, or when it is a pooler: a service that starts behind one
 * without a direct URL would receive no notifications.
 */
export async function openMigrationClient(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    application_name: 'migrate',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    ...clientConfig(url),
  });
  // The running statement rejects as well. Without a listener, the event would end the process first.
  client.on('error', () => {});
  await client.connect().catch((cause: Error) => {
    const where = `${client.database} on ${client.host}:${client.port}`;
    // A name with several addresses fails with an error for each address, and an empty message.
    const [first = cause] = cause instanceof AggregateError ? cause.errors : [];
    throw new Error(`cannot reach the database ${where} as ${client.user}: ${first.message}`, { cause });
  });
  try {
    await requireSession(client);
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function requireSession(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ is_pooled: boolean }>(`SELECT ${isPooledSql(client)} AS is_pooled`);
  if (!rows[0]?.is_pooled) return;
  const where = `${client.database} on ${client.host}:${client.port}`;
  throw new Error(
    `${where} is behind a pooler, which keeps no sessions: set DATABASE_DIRECT_URL to the URL of PostgreSQL itself`,
  );
}
