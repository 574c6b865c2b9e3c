import { connectionsPerReplica } from '@acme/postgres/pool';

/** Maximum sizes of the pools. Reads and cancels have their own, so that many of them do not delay placing and settling. */
export const poolSizes = { placing: 4, reads: 4, cancels: 2 };

/** Connections of one replica. `npm run check` holds the deployments to them. */
export const connections = connectionsPerReplica({ poolSizes, feeds: 1 });
