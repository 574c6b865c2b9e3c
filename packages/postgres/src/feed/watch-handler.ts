import { Code, errorInfo, RpcError, retryInfo } from '@acme/rpc/errors';
import { type CallContext, preEncoded, SemaphoreFullError } from '@acme/rpc/server';
import type { ResumeTokens } from '@acme/rpc/tokens';
import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import type { ChangeFeed } from './change-feed.ts';
import {
  type Position,
  PositionAheadError,
  PositionExpiredError,
  positionFromText,
  positionToText,
} from './position.ts';
import { BufferFullError } from './subscription.ts';

export interface WatchHandlerOptions<Event extends object, Response extends DescMessage> {
  readonly feed: ChangeFeed<Event>;
  readonly tokens: ResumeTokens;
  /** The method's response message. */
  readonly response: Response;
  /** Makes the response of a change or, without an event, of a heartbeat. */
  readonly toResponse: (event: Event | undefined, resumeToken: string) => MessageInitShape<Response>;
}

/** Delay after which a watch that could not read its missed events is worth retrying. */
const busyRetryMs = 1000;

/** A caller's request to watch. */
export interface WatchQuery {
  /** Keys that the caller asks for and may see. Undefined for all. */
  readonly keys: ReadonlySet<string> | undefined;
  /** The filters that a resume token is valid for. Equal for watches that see the same events. */
  readonly filters: readonly string[];
  /** The request's resume token. Empty to begin at the end of the feed. */
  readonly resumeToken: string;
}

/**
 * Returns the handler of a method that watches a change feed. Watches with equal filters share their responses, which are
 * encoded once.
 *
 * It throws INVALID_ARGUMENT for a token of another method or of other filters; OUT_OF_RANGE `RESUME_TOKEN_EXPIRED` when
 * events after the token have been pruned; OUT_OF_RANGE `RESUME_TOKEN_AHEAD` when the database does not hold the token's
 * event, also during a watch when the database is restored; RESOURCE_EXHAUSTED `WATCH_TOO_SLOW` for a caller that reads more
 * slowly than things change, with a `resume_token` in the ErrorInfo's metadata that continues after the last response sent;
 * and RESOURCE_EXHAUSTED with a RetryInfo when too many watches catch up.
 */
export function createWatchHandler<Event extends object, Response extends DescMessage>(
  options: WatchHandlerOptions<Event, Response>,
) {
  const { feed, tokens, response, toResponse } = options;
  /** The responses of each event in memory, by the watch's filters. */
  const encoded = new WeakMap<Event, Map<string, MessageShape<Response>>>();
  const encode = (event: Event | undefined, resumeToken: string) =>
    preEncoded(response, create(response, toResponse(event, resumeToken)));

  return async function* (query: WatchQuery, { method, principal, signal }: CallContext) {
    const { keys, filters, resumeToken } = query;
    const view = JSON.stringify(filters);
    const text = tokens.decrypt(filters, resumeToken);
    let after = text === undefined ? undefined : positionFromText(text);
    const tokenOf = (position: Position) => tokens.encrypt(filters, positionToText(position));
    const responseOf = (event: Event, position: Position) => {
      const ofEvent = encoded.get(event) ?? new Map<string, MessageShape<Response>>();
      encoded.set(event, ofEvent);
      const response = ofEvent.get(view) ?? encode(event, tokenOf(position));
      ofEvent.set(view, response);
      return response;
    };
    const toItem = (event: Event | undefined, position: Position) => ({
      position,
      response: event ? responseOf(event, position) : encode(undefined, tokenOf(position)),
    });
    try {
      const watch = feed.watch({ keys, after, caller: principal.subject, signal }, toItem);
      for await (const item of watch) {
        yield item.response;
        after = item.position;
      }
    } catch (error) {
      throw watchStatus(error, method.desc.parent.file.proto.package, after ? tokenOf(after) : '');
    }
  };
}

/** Returns the errors with a reason that a watch may fail with, for tests of a contract that lists them. */
export function watchErrors(domain: string): RpcError[] {
  return [expired(domain), ahead(domain), tooSlow(domain, '')];
}

/** Returns the status of the feed's own errors, and other errors unchanged. */
function watchStatus(error: unknown, domain: string, resumeToken: string): unknown {
  if (error instanceof PositionExpiredError) return expired(domain);
  if (error instanceof PositionAheadError) return ahead(domain);
  if (error instanceof BufferFullError) return tooSlow(domain, resumeToken);
  if (error instanceof SemaphoreFullError) return busy();
  return error;
}

function expired(domain: string): RpcError {
  return new RpcError(
    Code.OUT_OF_RANGE,
    'the events after this resume_token have been pruned: start a new watch without a token, and list the current state',
    { details: [errorInfo(domain, 'RESUME_TOKEN_EXPIRED')] },
  );
}

function tooSlow(domain: string, resumeToken: string): RpcError {
  return new RpcError(
    Code.RESOURCE_EXHAUSTED,
    'the watch reads more slowly than events arrive: resume it with the token of its last response',
    { details: [errorInfo(domain, 'WATCH_TOO_SLOW', { resume_token: resumeToken })] },
  );
}

function ahead(domain: string): RpcError {
  return new RpcError(
    Code.OUT_OF_RANGE,
    'the database was restored to a state without the event of this resume_token: start a new watch without a token, and list the current state',
    { details: [errorInfo(domain, 'RESUME_TOKEN_AHEAD')] },
  );
}

function busy(): RpcError {
  return new RpcError(
    Code.RESOURCE_EXHAUSTED,
    'too many watches are catching up: resume this one with the token of its last response',
    { details: [retryInfo(busyRetryMs)] },
  );
}
