import type { ClerkService } from '@acme/gen/depot/v1/clerk_service_pb';
// <get|list>
import type { Principal } from '@acme/rpc/call/call-context';
import type { ServiceImplementation } from '@acme/rpc/call/handler';
// </any-other>
// <list>
import { requireScopes } from '@acme/rpc/auth/scopes';
// </get|list>
// <any-other>
import { Code, RpcError } from '@acme/rpc/errors/rpc-error';
import { type PageTokens, pageSizeOf } from '@acme/rpc/tokens/page-token';
// </list>
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  type Widget,
  // <get>
  WidgetError,
  // </get>
} from './widget.ts';
import type { WidgetStore } from './widget-store.ts';

export interface ClerkServiceDependencies {
  readonly store: WidgetStore;
  // <list>
  readonly widgetPages: PageTokens;
  // </list>
}

/** The handlers: from the contract's messages to the domain, and back. */
export function createClerkService(
  parts: ClerkServiceDependencies,
): ServiceImplementation<typeof ClerkService> {
  return {
    // <create>
    createWidget: async ({ requestId, title }, { principal, signal }) => {
      const ownerId = principal.subject;
      const created = await parts.store.create(
        { ownerId, requestId: requestId.toLowerCase(), title },
        signal,
      );
      return { widget: toProto(created) };
    },
    // </create>
    // <get>
    getWidget: async ({ id }, { principal, signal }) => {
      const found = await parts.store.get(id, ownerFilter(principal), signal);
      if (!found) throw new WidgetError({ kind: 'WIDGET_NOT_FOUND', id });
      return { widget: toProto(found) };
    },
    // </get>
    // <list>
    listWidgets: async ({ pageSize, pageToken, ownerId: requested }, { principal, signal }) => {
      const ownerId = requestedOwner(requested, principal);
      const limit = pageSizeOf(pageSize);
      const before = parts.widgetPages.decrypt([ownerId], pageToken);
      const { items, hasMore } = await parts.store.list({ ownerId, before, limit }, signal);
      const last = items.at(-1);
      const nextPageToken = hasMore && last ? parts.widgetPages.encrypt([ownerId], last.id) : '';
      return { widgets: items.map(toProto), nextPageToken };
    },
    // </list>
    // <each>
    otherRpc: async () => notServedYet('OtherRpc'),
    // </each>
  };
}
// <list>

/** The owner that is requested for; the caller itself by default. Another one takes a scope of its own. */
function requestedOwner(requested: string, principal: Principal): string {
  if (requested !== '' && requested !== principal.subject) requireScopes(principal, ['depot:read:any']);
  return requested || principal.subject;
}
// </list>
// <get>

/** Whose widgets the caller may read by their ids: undefined for anybody's. To others they do not exist. */
function ownerFilter(principal: Principal): string | undefined {
  return principal.scopes.has('depot:read:any') ? undefined : principal.subject;
}
// </get>
// <any-other>

function notServedYet(method: string): never {
  throw new RpcError(
    Code.UNIMPLEMENTED,
    `${method} is in the contract, but not served yet: write its handler in clerk-service.ts`,
  );
}
// </any-other>

function toProto({ id, ownerId, title, createTime }: Widget) {
  return { id, ownerId, title, createTime: timestampFromDate(createTime) };
}
