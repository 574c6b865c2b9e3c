import { connectionsPerReplica } from '@acme/postgres/pool';

/**
 * Maximum sizes of the pools. Each kind of work has its own, so that no other kind delays reserves. Reserves need one
 * connection, because one batch of them runs at a time. An import holds its connection until its client has sent all rows.
 */
export const poolSizes = { reserves: 2, releases: 2, reads: 4, counts: 2, imports: 4 };

/** Connections of one replica. `npm run check` holds the deployments to them. */
export const connections = connectionsPerReplica({ poolSizes, feeds: 1 });
