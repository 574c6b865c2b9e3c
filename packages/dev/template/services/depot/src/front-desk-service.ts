// <resource>
import {
  type CreateSparePartRequestSchema,
  type FrontDeskService,
  WatchSparePartsResponseSchema,
} from '@acme/gen/depot/v1/front_desk_service_pb';
import { createWatchHandler } from '@acme/postgres/feed';
import type { MessageFields } from '@acme/rpc/contract';
import { type Principal, requireScopes, type ServiceImplementation } from '@acme/rpc/server';
import { Code, RpcError } from '@acme/rpc/errors';
import { type PageTokens, pageSizeOf, type ResumeTokens } from '@acme/rpc/tokens';
import { SparePartError } from './spare-part.ts';
import type { SparePartChangeStore } from './spare-part-change-store.ts';
import type { SparePartFeed } from './spare-part-feed.ts';
import { toProto } from './spare-part-proto.ts';
import type { NewSparePart, SparePartStore } from './spare-part-store.ts';
import type { Supplier } from './supplier.ts';

export interface FrontDeskServiceDependencies {
  readonly store: SparePartStore;
  // <list>
  readonly pageTokens: PageTokens;
  // </list>
  // <change>
  readonly changes: SparePartChangeStore;
  // </change>
  // <watch>
  readonly feed: SparePartFeed;
  readonly resumeTokens: ResumeTokens;
  // </watch>
  // <no-settle>
  // <calls>
  /**
   * Called through its circuit breaker: `supplier.circuitBreaker.execute(() => supplier.client.METHOD({…}, { signal }))`.
   * A handler that also stores makes the call first, idempotent by the request_id: a client repeats the request.
   */
  readonly supplier: Supplier;
  // </calls>
  // </no-settle>
  // <settle>
  /** Called after a spare part was stored. It is PENDING. */
  readonly onPending: () => void;
  // </settle>
}

/** Returns the handlers: they map messages to the domain, and its results back to messages. */
export function createFrontDeskService(
  dependencies: FrontDeskServiceDependencies,
): ServiceImplementation<typeof FrontDeskService> {
  // <watch>
  const handleWatch = createWatchHandler({
    feed: dependencies.feed,
    tokens: dependencies.resumeTokens,
    response: WatchSparePartsResponseSchema,
    toResponse: (sparePart, resumeToken) => ({
      resumeToken,
      ...(sparePart && { sparePart: toProto(sparePart) }),
    }),
  });
  // </watch>
  return {
    // <create>
    createSparePart: async ({ requestId, title }, { principal, signal }) => {
      const ownerId = principal.subject;
      const created = await dependencies.store.create(
        // A field of the request that is not stored is an error here.
        { ownerId, requestId: requestId.toLowerCase(), title } satisfies NewSparePart &
          MessageFields<typeof CreateSparePartRequestSchema>,
        signal,
      );
      // <watch>
      dependencies.feed.notify();
      // </watch>
      // <settle>
      dependencies.onPending();
      // </settle>
      return { sparePart: toProto(created) };
    },
    // </create>
    // <get>
    getSparePart: async ({ id }, { principal, signal }) => {
      const found = await dependencies.store.get(id, ownerFilter(principal, 'depot:read:any'), signal);
      if (!found) throw new SparePartError({ kind: 'SPARE_PART_NOT_FOUND', id });
      return { sparePart: toProto(found) };
    },
    // </get>
    // <list>
    listSpareParts: async ({ pageSize, pageToken, ownerId: requested }, { principal, signal }) => {
      const ownerId = requestedOwner(requested, principal);
      const limit = pageSizeOf(pageSize);
      const before = dependencies.pageTokens.decrypt([ownerId], pageToken);
      const { items, hasMore } = await dependencies.store.list({ ownerId, before, limit }, signal);
      const last = items.at(-1);
      const nextPageToken = hasMore && last ? dependencies.pageTokens.encrypt([ownerId], last.id) : '';
      return { spareParts: items.map(toProto), nextPageToken };
    },
    // </list>
    // <each-change>
    retireSparePart: async ({ id, etag }, { principal, signal }) => {
      const owner = ownerFilter(principal, 'depot:write:any');
      const changed = await dependencies.changes.change({ id, to: 'RETIRED', owner, etag }, signal);
      // <watch>
      dependencies.feed.notify();
      // </watch>
      return { sparePart: toProto(changed) };
    },
    // </each-change>
    // <watch>
    watchSpareParts: ({ resumeToken, ownerId: requested }, context) => {
      const ownerId = requestedOwner(requested, context.principal);
      return handleWatch({ keys: new Set([ownerId]), filters: [ownerId], resumeToken }, context);
    },
    // </watch>
    // <each>
    otherRpc: () => notImplemented('OtherRpc'),
    // </each>
  };
}
// <list|watch>

/** Returns the requested owner or the caller. Throws PERMISSION_DENIED for another owner without `depot:read:any`. */
function requestedOwner(requested: string, principal: Principal): string {
  if (requested !== '' && requested !== principal.subject) requireScopes(principal, ['depot:read:any']);
  return requested || principal.subject;
}
// </list|watch>
// <get|change>

/** Returns the only owner whose spare parts the caller may address by id, or undefined for a caller with `anyScope`. */
function ownerFilter(principal: Principal, anyScope: string): string | undefined {
  return principal.scopes.has(anyScope) ? undefined : principal.subject;
}
// </get|change>
// <any-other>

function notImplemented(method: string): never {
  throw new RpcError(
    Code.UNIMPLEMENTED,
    `${method} is not implemented: write its handler in front-desk-service.ts`,
  );
}
// </any-other>
// </resource>
