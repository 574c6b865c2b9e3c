/** Maximum numbers of database connections of one replica of a service. */
export interface Connections {
  /** Connections by `DATABASE_URL`, which a pooler may share. */
  readonly shared: number;
  /** Connections by `DATABASE_DIRECT_URL`. */
  readonly direct: number;
}

/** Connections of each feed: see `openChangeFeed`. */
export const feedConnections = { shared: 4, listening: 1 };
/** Connection of the readiness check. */
export const readinessConnections = 1;
/** Connection of the migrations, which is closed before a feed opens. */
const migrationConnections = 1;

/** Returns the connections of one replica: of its pools, its feeds, its readiness check and its migrations. */
export function connectionsPerReplica({
  poolSizes,
  feeds = 0,
}: {
  /** Maximum size of each pool that the service opens, by use. */
  readonly poolSizes: Readonly<Record<string, number>>;
  /** Number of change feeds. */
  readonly feeds?: number;
}): Connections {
  const ofPools = Object.values(poolSizes).reduce((sum, max) => sum + max, 0);
  return {
    shared: ofPools + readinessConnections + feeds * feedConnections.shared,
    direct: Math.max(feeds * feedConnections.listening, migrationConnections),
  };
}
