import type { ServiceEntry } from '../../repository/service-entry.ts';
import type { PlacedQuery } from './read-queries.ts';

const excluded = /rpc_method!~"([^"]*)"/g;

/**
 * Requires that the queries that exclude streams by name exclude every stream of the services, and no unary method. Streams
 * have no objective of latency: they last as long as their caller wants.
 */
export function streamProblems(
  entries: readonly Pick<ServiceEntry, 'descriptor' | 'otherDescriptors'>[],
  queries: readonly PlacedQuery[],
): string[] {
  const methods = entries.flatMap(({ descriptor, otherDescriptors = [] }) =>
    [descriptor, ...otherDescriptors].flatMap(({ typeName, methods: own }) =>
      own.map(({ name, methodKind }) => ({
        name: `${typeName}/${name}`,
        isStream: methodKind !== 'unary',
      })),
    ),
  );
  return queries.flatMap(({ place, query }) =>
    [...new Set([...query.matchAll(excluded)].map(([, pattern = '']) => pattern))].flatMap((pattern) => {
      const matcher = new RegExp(`^(?:${pattern})$`);
      return methods
        .filter(({ name, isStream }) => matcher.test(name) !== isStream)
        .map(({ name, isStream }) =>
          isStream
            ? `${place}: rpc_method!~"${pattern}" does not exclude the stream ${name}: add its name`
            : `${place}: rpc_method!~"${pattern}" excludes ${name}, which is no stream`,
        );
    }),
  );
}
