import pg from 'pg';
import { clientConfig } from '../pool/connection-url.ts';

/** Opens the connection of a migration. Throws an Error that names the server when it cannot be reached. */
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
  return client;
}
