import type { Interceptor } from '../call/handler.ts';
import { Code, codeName, type ErrorMap, toRpcError } from '../errors/rpc-error.ts';
import { defectCodes } from '../errors/status-codes.ts';

/**
 * Writes one log line per call, with the code that is sent: it uses the same error map as recovery. The line of a gRPC
 * call has no `protocol`.
 */
export function logging(errorMap: ErrorMap): Interceptor {
  return (next) => async (call) => {
    const startMs = performance.now();
    const line = (code: Code, message: string | undefined) => {
      const fields = {
        method: call.method.name,
        protocol: call.method.protocol === 'grpc' ? undefined : call.method.protocol,
        code: codeName(code),
        error: message,
        duration_ms: Math.round((performance.now() - startMs) * 1000) / 1000,
        deadline_left_ms: Number.isFinite(call.deadlineAtMs) ? call.deadlineAtMs - Date.now() : undefined,
        peer: call.peer,
        subject: call.principal.subject || undefined,
      };
      call.writeLog(defectCodes.has(code) ? 'error' : 'info', fields, 'call');
    };
    try {
      await next(call);
      line(Code.OK, undefined);
    } catch (error) {
      const status = toRpcError(error, errorMap);
      line(status.code, status.message);
      throw error;
    }
  };
}
