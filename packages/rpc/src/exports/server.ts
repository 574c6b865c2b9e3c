export { createJwtVerifier } from '../auth/jwt.ts';
export { requireScopes } from '../auth/scopes.ts';
export {
  type CallContext,
  currentCall,
  type MethodInfo,
  type Principal,
  runDetached,
} from '../call/call-context.ts';
export type { Handler, Interceptor, ServerCall, ServiceImplementation } from '../call/handler.ts';
export { createAdmission } from '../chain/admission.ts';
export { serverChain } from '../chain/chain.ts';
export { preEncoded } from '../grpc-js/messages/pre-encoded.ts';
export { createFairSemaphore, SemaphoreFullError } from '../limits/semaphore.ts';
export { runUntilSignal } from '../server/run-until-signal.ts';
export { type ServedService, serve } from '../server/served-service.ts';
export { readServerConfig, type ServerConfig } from '../server/server-config.ts';
export { startServer } from '../server/start-server.ts';
export { type StartServiceOptions, startService } from '../server/start-service.ts';
export { serverCredentials } from '../tls/server-credentials.ts';
