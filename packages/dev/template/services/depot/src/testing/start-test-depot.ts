import { randomUUID } from 'node:crypto';
import { FrontDeskService } from '@acme/gen/depot/v1/front_desk_service_pb';
import { createTestDatabase, openTestPool } from '@acme/postgres/testing';
import { type Client, createClient } from '@acme/rpc/client';
import { createFakes, createSigningKeys, issuer, testServerConfig } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { startApp } from '../app.ts';
import type { SparePart } from '../spare-part.ts';
import { columns, fromRow, type SparePartRow } from '../spare-part-row.ts';
import { createSparePartStore } from '../spare-part-store.ts';

/** The service in this process, with a real socket and its own database. */
export interface TestDepot extends AsyncDisposable {
  // <resource>
  /** Stores a spare part. */
  addSparePart(content: { ownerId: string; title: string }): Promise<SparePart>;
  // </resource>
  /** Creates a client with a token of the subject, or without a token if there are no scopes. */
  clientFor(subject: string, scopes?: readonly string[]): Promise<Client<typeof FrontDeskService>>;
}

export async function startTestDepot(): Promise<TestDepot> {
  await using started = new AsyncDisposableStack();
  const keys = started.use(await createSigningKeys());
  const { url } = started.use(await createTestDatabase());
  const { port } = started.adopt(
    await startApp({
      server: testServerConfig({
        auth: { jwks: keys.jwks, issuer, audience: 'depot', clockToleranceSeconds: 5 },
      }),
      databaseUrl: url,
      databaseDirectUrl: url,
      // <calls>
      // Nothing listens there.
      supplier: { target: '127.0.0.1:1', tokenFile: undefined },
      // </calls>
    }),
    (app) => app.close(),
  );
  // <resource>
  const pool = started.use(openTestPool({ url, max: 3 }));
  const store = createSparePartStore(pool, createFakes());
  const { signal } = new AbortController();
  // </resource>
  const running = started.move();
  return {
    // <resource>
    addSparePart: async (content) => {
      const created = await store.create({ ...content, requestId: randomUUID() }, signal);
      const stored = async () => {
        const text = `SELECT ${columns} FROM spare_parts WHERE id = $1`;
        const { rows } = await pool.query<SparePartRow>(text, [created.id]);
        return rows[0] ? fromRow(rows[0]) : created;
      };
      // <settle>
      await expect.poll(async () => (await stored()).state).not.toBe('PENDING');
      // </settle>
      return await stored();
    },
    // </resource>
    clientFor: async (subject, scopes) => {
      const shown = scopes && (await keys.sign({ sub: subject, aud: 'depot', scope: scopes.join(' ') }));
      return running.use(
        createClient(FrontDeskService, { target: `127.0.0.1:${port}`, ...(shown && { token: () => shown }) }),
      );
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
