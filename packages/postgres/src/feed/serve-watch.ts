import type { CallContext } from '@acme/rpc/call/call-context';
import { errorInfo, retryInfo } from '@acme/rpc/errors/error-details';
import { Code, RpcError } from '@acme/rpc/errors/rpc-error';
import { preEncoded } from '@acme/rpc/grpc-js/messages/pre-encoded';
import { SemaphoreFullError } from '@acme/rpc/limits/semaphore';
import type { ResumeTokens } from '@acme/rpc/tokens/resume-token';
import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import type { ChangeFeed } from './change-feed.ts';
import { ExpiredError, type Place, PlaceAheadError, placeFromText, placeToText } from './position.ts';
import { BufferFullError } from './subscription.ts';

export interface ServeWatchOptions<Event extends object, Response extends DescMessage> {
  readonly feed: ChangeFeed<Event>;
  readonly tokens: ResumeTokens;
  /** What the service answers with. */
  readonly response: Response;
  /** The response for a change; for a heartbeat without one. */
  readonly toResponse: (event: Event | undefined, resumeToken: string) => MessageInitShape<Response>;
}

/** When a watch is tried again that could not read what it missed. */
const busyRetryMs = 1000;

/** What a caller watches. */
export interface WatchQuery {
  /** Of the events that the caller asks for and may see; undefined for all. */
  readonly keys: ReadonlySet<string> | undefined;
  /** What a resume token is good for: the same for watches that see the same. */
  readonly filters: readonly string[];
  /** The request's; empty to watch from now on. */
  readonly resumeToken: string;
}

/**
 * Serves a method that watches a change feed. Watchers that see the same share their messages, each encoded once.
 *
 * INVALID_ARGUMENT for a token that is not this method's, or for other filters. OUT_OF_RANGE `RESUME_TOKEN_EXPIRED`
 * when the events after it are gone, and `RESUME_TOKEN_AHEAD` when the database does not hold the token's event, also of a
 * watch that is open when the database is restored. RESOURCE_EXHAUSTED `WATCH_TOO_SLOW` for a caller that reads more slowly than things
 * change: `resume_token` in the ErrorInfo's metadata continues after the last response that was sent.
 */
export function createServeWatch<Event extends object, Response extends DescMessage>(
  options: ServeWatchOptions<Event, Response>,
) {
  const { feed, tokens, response, toResponse } = options;
  /** Of each event, as long as it is in memory, the responses by their filters. */
  const made = new WeakMap<Event, Map<string, MessageShape<Response>>>();
  const encode = (event: Event | undefined, resumeToken: string) =>
    preEncoded(response, create(response, toResponse(event, resumeToken)));

  return async function* (query: WatchQuery, { method, principal, signal }: CallContext) {
    const { keys, filters, resumeToken } = query;
    const view = JSON.stringify(filters);
    const text = tokens.decrypt(filters, resumeToken);
    let after = text === undefined ? undefined : placeFromText(text);
    const tokenOf = (place: Place) => tokens.encrypt(filters, placeToText(place));
    const toItem = (event: Event | undefined, place: Place) => ({
      place,
      response: event
        ? made
            .getOrInsertComputed(event, () => new Map())
            .getOrInsertComputed(view, () => encode(event, tokenOf(place)))
        : encode(undefined, tokenOf(place)),
    });
    try {
      const watch = feed.watch({ keys, after, caller: principal.subject, signal }, toItem);
      for await (const item of watch) {
        yield item.response;
        after = item.place;
      }
    } catch (error) {
      throw watchStatus(error, method.desc.parent.file.proto.package, after ? tokenOf(after) : '');
    }
  };
}

/** Returns the status of an error of the feed, and any other error as it is. */
function watchStatus(error: unknown, domain: string, resumeToken: string): unknown {
  if (error instanceof ExpiredError) return expired(domain);
  if (error instanceof PlaceAheadError) return ahead(domain);
  if (error instanceof BufferFullError) return tooSlow(domain, resumeToken);
  if (error instanceof SemaphoreFullError) return busy();
  return error;
}

function expired(domain: string): RpcError {
  return new RpcError(
    Code.OUT_OF_RANGE,
    'the events after this resume_token are gone: watch from now on, without a token, and list what there is',
    { details: [errorInfo(domain, 'RESUME_TOKEN_EXPIRED')] },
  );
}

function tooSlow(domain: string, resumeToken: string): RpcError {
  return new RpcError(
    Code.RESOURCE_EXHAUSTED,
    'more has changed than this watch reads: resume it with the token of its last response',
    { details: [errorInfo(domain, 'WATCH_TOO_SLOW', { resume_token: resumeToken })] },
  );
}

function ahead(domain: string): RpcError {
  return new RpcError(
    Code.OUT_OF_RANGE,
    'the database was restored to a state without the event of this resume_token: watch from now on, without a token, and list what there is',
    { details: [errorInfo(domain, 'RESUME_TOKEN_AHEAD')] },
  );
}

function busy(): RpcError {
  return new RpcError(
    Code.RESOURCE_EXHAUSTED,
    'too many watches read what they missed: resume it with the token of its last response',
    { details: [retryInfo(busyRetryMs)] },
  );
}
