import { connectionsPerReplica } from '@acme/postgres/pool';

/** Maximum sizes of the pools. */
export const poolSizes = { calls: 10 };

/**
 * Connections of one replica. `npm run check` holds the deployments to them.
 *
 * @public
 */
export const connections = connectionsPerReplica({
  poolSizes,
  // <watch>
  feeds: 1,
  // </watch>
});
