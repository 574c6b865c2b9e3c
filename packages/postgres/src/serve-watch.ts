import { encodeOnce } from '@acme/rpc/bridge/encode-once';
import type { CallContext } from '@acme/rpc/call-context';
import { errorInfo } from '@acme/rpc/error-details';
import { Code, RpcError } from '@acme/rpc/errors';
import type { ResumeTokens } from '@acme/rpc/resume-token';
import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import type { ChangeFeed } from './change-feed.ts';
import { BufferFullError } from './change-feed-subscribers.ts';
import { ExpiredError } from './change-feed-watch.ts';

export interface ServeWatchOptions<Event extends object, Response extends DescMessage> {
  readonly feed: ChangeFeed<Event>;
  readonly tokens: ResumeTokens;
  /** What the service answers with. */
  readonly response: Response;
  /** The response for a change; for a heartbeat without one. */
  readonly toResponse: (event: Event | undefined, resumeToken: string) => MessageInitShape<Response>;
}

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
 * when the events after it are gone. RESOURCE_EXHAUSTED `WATCH_TOO_SLOW` for a caller that reads more slowly than things
 * change: `resume_token` in the ErrorInfo's metadata continues after the last response that was sent.
 */
export function createServeWatch<Event extends object, Response extends DescMessage>(
  options: ServeWatchOptions<Event, Response>,
) {
  const { feed, tokens, response, toResponse } = options;
  /** Of each event, as long as anybody has it, the responses by their filters. */
  const made = new WeakMap<Event, Map<string, MessageShape<Response>>>();
  const messageOf = (event: Event, view: string, token: () => string) =>
    made
      .getOrInsertComputed(event, () => new Map())
      .getOrInsertComputed(view, () => encodeOnce(create(response, toResponse(event, token()))));

  return async function* (query: WatchQuery, { method, signal }: CallContext) {
    const { keys, filters, resumeToken } = query;
    const view = JSON.stringify(filters);
    let after = tokens.open(filters, resumeToken);
    try {
      for await (const { seq, event } of feed.watch({ keys, after, signal })) {
        const token = () => tokens.seal(filters, seq);
        yield event ? messageOf(event, view, token) : create(response, toResponse(undefined, token()));
        after = seq;
      }
    } catch (error) {
      const domain = method.desc.parent.file.proto.package;
      if (error instanceof ExpiredError) throw expired(domain);
      if (error instanceof BufferFullError)
        throw tooSlow(domain, after === undefined ? '' : tokens.seal(filters, after));
      throw error;
    }
  };
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
