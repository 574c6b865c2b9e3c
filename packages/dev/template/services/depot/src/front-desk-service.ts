import type { FrontDeskService } from '@acme/gen/depot/v1/front_desk_service_pb';
// <list>
import { type Principal, requireScopes, type ServiceImplementation } from '@acme/rpc/server';
// </list>
// <get|list>
// </get|list>
// <any-other>
import { Code, RpcError } from '@acme/rpc/errors';
// </any-other>
// <list>
import { type PageTokens, pageSizeOf } from '@acme/rpc/tokens';
// </list>
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  type SparePart,
  // <get>
  SparePartError,
  // </get>
} from './spare-part.ts';
import type { SparePartStore } from './spare-part-store.ts';

export interface FrontDeskServiceDependencies {
  readonly store: SparePartStore;
  // <list>
  readonly pageTokens: PageTokens;
  // </list>
}

/** Returns the handlers: they map messages to the domain, and its results back to messages. */
export function createFrontDeskService(
  dependencies: FrontDeskServiceDependencies,
): ServiceImplementation<typeof FrontDeskService> {
  return {
    // <create>
    createSparePart: async ({ requestId, title }, { principal, signal }) => {
      const ownerId = principal.subject;
      const created = await dependencies.store.create(
        { ownerId, requestId: requestId.toLowerCase(), title },
        signal,
      );
      return { sparePart: toProto(created) };
    },
    // </create>
    // <get>
    getSparePart: async ({ id }, { principal, signal }) => {
      const found = await dependencies.store.get(id, ownerFilter(principal), signal);
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
    // <each>
    otherRpc: () => notImplemented('OtherRpc'),
    // </each>
  };
}
// <list>

/** Returns the requested owner or the caller. Throws PERMISSION_DENIED for another owner without `depot:read:any`. */
function requestedOwner(requested: string, principal: Principal): string {
  if (requested !== '' && requested !== principal.subject) requireScopes(principal, ['depot:read:any']);
  return requested || principal.subject;
}
// </list>
// <get>

/** Returns the only owner whose spare parts the caller may read by id, or undefined for a caller with `depot:read:any`. */
function ownerFilter(principal: Principal): string | undefined {
  return principal.scopes.has('depot:read:any') ? undefined : principal.subject;
}
// </get>
// <any-other>

function notImplemented(method: string): never {
  throw new RpcError(
    Code.UNIMPLEMENTED,
    `${method} is not implemented: write its handler in front-desk-service.ts`,
  );
}
// </any-other>

function toProto({ id, ownerId, title, createTime }: SparePart) {
  return { id, ownerId, title, createTime: timestampFromDate(createTime) };
}
