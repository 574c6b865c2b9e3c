import { expect, test } from 'vitest';
import { connectionsPerReplica } from './connections.ts';

test('a replica has the connections of its pools, its readiness check and its feeds', () => {
  expect(connectionsPerReplica({ poolSizes: { calls: 4, reads: 2 }, feeds: 2 })).toEqual({
    shared: 15,
    direct: 2,
  });
});

test('a replica without a feed has a direct connection for its migrations', () => {
  expect(connectionsPerReplica({ poolSizes: { calls: 4 } })).toEqual({ shared: 5, direct: 1 });
});
