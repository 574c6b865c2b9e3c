// Servers: the chain and what it gives to handlers and interceptors, authentication, TLS.
export { createJwtVerifier, type JwtOptions, type JwtVerifier } from '../auth/jwt.ts';
export type { PeerScopes } from '../auth/peer-scopes.ts';
export { requireScopes } from '../auth/scopes.ts';
export type { TokenVerifier } from '../auth/token-verifier.ts';
export {
  type CallContext,
  currentCall,
  type MethodInfo,
  type Principal,
  runDetached,
} from '../call/call-context.ts';
export type { Handler, Interceptor, ServerCall, ServiceImplementation } from '../call/handler.ts';
export {
  type Admission,
  type AdmissionOptions,
  type AdmissionSnapshot,
  createAdmission,
} from '../chain/admission.ts';
export { type ChainOptions, serverChain } from '../chain/chain.ts';
export type { DeadlineMode } from '../chain/deadline.ts';
export type { OpenStreams } from '../chain/open-streams.ts';
export type { TraceContextTrust } from '../chain/tracing.ts';
export { preEncoded } from '../grpc-js/messages/pre-encoded.ts';
export {
  createFairSemaphore,
  type FairSemaphore,
  type FairSemaphoreOptions,
  SemaphoreFullError,
} from '../limits/semaphore.ts';
export { runUntilSignal } from '../server/run-until-signal.ts';
export { type ServedService, serve } from '../server/served-service.ts';
export {
  type ReadServerConfigOptions,
  readServerConfig,
  type ServerConfig,
} from '../server/server-config.ts';
export { type RunningServer, type StartServerOptions, startServer } from '../server/start-server.ts';
export { type RunningService, type StartServiceOptions, startService } from '../server/start-service.ts';
export { serverCredentials } from '../tls/server-credentials.ts';
