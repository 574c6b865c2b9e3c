import type { PeerScopes } from './auth/peer-scopes.ts';
import type { Interceptor } from './bridge/handler.ts';
import type { ErrorMap } from './errors.ts';
import { type Admission, createAdmission } from './interceptors/admission.ts';
import { auth, type TokenVerifier } from './interceptors/auth.ts';
import { type DeadlineMode, deadline } from './interceptors/deadline.ts';
import { logging } from './interceptors/logging.ts';
import { metadataLimit } from './interceptors/metadata-limit.ts';
import { recovery } from './interceptors/recovery.ts';
import { type TraceContextTrust, tracing } from './interceptors/tracing.ts';
import { validation } from './interceptors/validation.ts';

export interface ChainOptions {
  /** The service's one map from domain errors to statuses. */
  readonly errors: ErrorMap;
  readonly deadlineMode: DeadlineMode;
  readonly tokens: TokenVerifier;
  /** Who may call with a certificate instead of a token; nobody when absent. */
  readonly peers?: PeerScopes;
  /** Whose trace context is continued: `peers` when absent. */
  readonly traceContext?: TraceContextTrust;
  /** The server's one, for who wants to read its figures; the chain makes its own otherwise. */
  readonly admission?: Admission;
}

/** THE order of the interceptors, outermost first. */
export function serverChain(options: ChainOptions): Interceptor[] {
  const { errors, deadlineMode, tokens, peers = new Map(), admission = createAdmission() } = options;
  return [
    tracing(peers, options.traceContext ?? 'peers'), // first: whatever ends the call below, there is one span and one measurement of it
    recovery(errors), // next: nothing thrown below reaches grpc-js, or the caller, as it is
    logging(errors), // below recovery: it sees the error itself, and asks recovery's map for the code that is sent
    metadataLimit(), // the cheapest refusal comes first
    deadline(deadlineMode), // before anything that waits: from here on nothing can hang
    admission.interceptor, // before any crypto: what the server has no room for costs it next to nothing
    auth(tokens, peers), // before the request is decoded: a stranger's bytes cost next to nothing
    validation(), // last: the handler sees only what the contract allows, from callers that it allows
  ];
}
