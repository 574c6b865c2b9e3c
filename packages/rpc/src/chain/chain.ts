import type { PeerScopes } from '../auth/peer-scopes.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Interceptor } from '../call/handler.ts';
import type { ErrorMap } from '../errors/rpc-error.ts';
import { type Admission, createAdmission } from './admission.ts';
import { authentication, authorization } from './auth.ts';
import { type DeadlineMode, deadline } from './deadline.ts';
import { logging } from './logging.ts';
import { metadataLimit } from './metadata-limit.ts';
import type { OpenStreams } from './open-streams.ts';
import { quota } from './quota.ts';
import { recovery } from './recovery.ts';
import { streamLimit } from './stream-limit.ts';
import { type TraceContextTrust, tracing } from './tracing.ts';
import { validation } from './validation.ts';

export interface ChainOptions {
  /** The service's one map from domain errors to statuses. */
  readonly errors: ErrorMap;
  readonly deadlineMode: DeadlineMode;
  /** The server's streams, which it ends when it drains. */
  readonly openStreams: OpenStreams;
  readonly tokens: TokenVerifier;
  /** Who may call with a certificate instead of a token; nobody when absent. */
  readonly peers?: PeerScopes;
  /** Whose trace context is continued: `peers` when absent. */
  readonly traceContext?: TraceContextTrust;
  /** The server's one, for who wants to read its figures; the chain makes its own otherwise. */
  readonly admission?: Admission;
  /** The service's own interceptors, outermost first. */
  readonly own?: readonly Interceptor[];
}

/** THE order of the interceptors, outermost first. */
export function serverChain(options: ChainOptions): Interceptor[] {
  const { errors, deadlineMode, tokens, peers = new Map(), admission = createAdmission() } = options;
  return [
    options.openStreams.interceptor, // outermost: a stream counts as open until its span has ended
    tracing(peers, options.traceContext ?? 'peers'), // whatever ends the call below, there is one span and one measurement of it
    recovery(errors), // next: nothing thrown below reaches grpc-js, or the caller, as it is
    logging(errors), // below recovery: it sees the error itself, and asks recovery's map for the code that is sent
    metadataLimit(), // the cheapest rejection comes first
    deadline(deadlineMode), // before anything that waits: it runs from the headers
    authentication(tokens, peers), // before admission, which is fair between callers; unknown tokens share a small budget
    admission.interceptor, // before anything is read of the request
    authorization(), // after admission: its error names scopes to callers that are known
    quota(), // after authorization: calls that are not allowed take nothing from it
    validation(), // last, and the first to read the request: a refused call has had none of it buffered or decompressed
    ...(options.own ?? []), // innermost: around the handler
  ];
}

/** Maximum number of open streams of a server that need no token: health watches, and reflection in development. */
const maxOpenStreams = 1000;

/**
 * Returns the chain of the methods that need no token: health, reflection and channelz. It has no admission, so that a
 * busy server is not restarted because it rejected a probe, and no logging of calls, so that probes and callers without
 * a token do not fill the log. The stream limit counts the streams of all services that share one returned chain.
 */
export function openChain(openStreams: OpenStreams): Interceptor[] {
  return [
    openStreams.interceptor, // outermost, as in the chain of the service
    recovery(() => undefined), // nothing thrown below reaches grpc-js as it is
    metadataLimit(), // the cheapest refusal comes first
    deadline('default'), // before anything that waits; a probe may set no deadline
    streamLimit(maxOpenStreams), // last: it counts only what the limits above have let through
  ];
}
