import type { PeerScopes } from '../auth/peer-scopes.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Interceptor } from '../call/handler.ts';
import type { ErrorMap } from '../errors/rpc-error.ts';
import { type Admission, createAdmission } from './admission.ts';
import { authentication } from './authentication.ts';
import { authorization } from './authorization.ts';
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
  /** Maps the service's domain errors to statuses. */
  readonly errorMap: ErrorMap;
  readonly deadlineMode: DeadlineMode;
  /** The server's open streams, which the drain ends. */
  readonly openStreams: OpenStreams;
  readonly tokens: TokenVerifier;
  /** Callers that may authenticate by certificate instead of a token; none when absent. */
  readonly peers?: PeerScopes;
  /** Callers whose trace context is continued: `peers` when absent. */
  readonly traceContext?: TraceContextTrust;
  /** An admission whose snapshot the caller reads, for metrics; created here when absent. */
  readonly admission?: Admission;
  /** The service's own interceptors, outermost first. */
  readonly interceptors?: readonly Interceptor[];
}

/** Returns the chain of a service's methods, outermost first. The order is defined here and nowhere else. */
export function serverChain(options: ChainOptions): Interceptor[] {
  const { errorMap, deadlineMode, tokens, peers = new Map(), admission = createAdmission() } = options;
  return [
    options.openStreams.interceptor, // outermost: a stream counts as open until its span has ended
    tracing(peers, options.traceContext ?? 'peers'), // one span and one measurement per call, whatever ends it below
    recovery(errorMap), // nothing thrown below reaches grpc-js or the caller unchanged
    logging(errorMap), // below recovery: sees the original error, and logs the code that recovery's map gives it
    metadataLimit(), // the cheapest rejection comes first
    deadline(deadlineMode), // before anything that waits: the deadline runs from the headers
    authentication(tokens, peers), // before admission, which is fair between callers; unknown tokens share a small budget
    admission.interceptor, // before any of the request is read
    authorization(), // after admission: its error names scopes to authenticated callers
    quota(), // after authorization: forbidden calls consume no quota
    validation(), // last, and the first to read the request: no byte of a rejected call is buffered or decompressed
    ...(options.interceptors ?? []), // innermost: around the handler
  ];
}

/** Maximum number of open streams without authentication: health watches, and reflection in development. */
const maxUnauthenticatedStreams = 1000;

/**
 * Returns the chain of methods without authentication: health, reflection and channelz. It has no admission, because
 * rejected probes restart a busy server. It has no logging, so that probes and callers without a token do not fill the
 * log. The services that share a returned chain share its stream limit.
 */
export function unauthenticatedChain(openStreams: OpenStreams): Interceptor[] {
  return [
    openStreams.interceptor, // outermost, as in the service's chain
    recovery(() => undefined), // nothing thrown below reaches grpc-js unchanged
    metadataLimit(), // the cheapest rejection comes first
    deadline('default'), // before anything that waits; a probe need not set a deadline
    streamLimit(maxUnauthenticatedStreams), // last: counts only streams that pass the limits above
  ];
}
