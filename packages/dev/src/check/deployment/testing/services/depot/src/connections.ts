import { connectionsPerReplica } from '@acme/postgres/pool';

/** Connections of one replica: ten by the URL, and one directly. */
export const connections = connectionsPerReplica({ poolSizes: { calls: 5 }, feeds: 1 });
