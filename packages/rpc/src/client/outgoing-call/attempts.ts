import type { EventEmitter } from 'node:events';
import type { Metadata, StatusObject } from '@grpc/grpc-js';
import { context, metrics, trace } from '@opentelemetry/api';
import { currentCall, type MethodInfo } from '../../call/call-context.ts';
import { codeName } from '../../errors/rpc-error.ts';
import { instrumentationScope, previousAttemptsAttribute } from '../../telemetry/call-telemetry.ts';
import { isGrpcInstrumented } from '../../telemetry/telemetry.ts';

/** Metadata key for the number of previous attempts, in the request and in the response; absent for 0 (gRFC A6). */
const previousAttemptsKey = 'grpc-previous-rpc-attempts';

/**
 * Records the attempts of a call that took more than one: a line in the log of the call that is being served, a span
 * attribute, and `grpc.client.call.retries` (gRFC A96). A call that its caller ended has no response to read them from.
 */
export function recordAttempts(call: EventEmitter, method: MethodInfo): void {
  const log = currentCall()?.log;
  // The official instrumentation's span is no longer active here.
  const span = isGrpcInstrumented() ? undefined : trace.getActiveSpan();
  const calling = context.active();
  let previousAttempts = 0;
  const read = (metadata: Metadata) => {
    previousAttempts ||= Number(metadata.get(previousAttemptsKey)[0] ?? 0);
  };
  call.once('metadata', read);
  call.once('status', ({ code, metadata }: StatusObject) => {
    read(metadata);
    if (previousAttempts === 0) return;
    span?.setAttribute(previousAttemptsAttribute, previousAttempts);
    // Created each time, so that an SDK that is started later receives it too.
    const retries = metrics
      .getMeter(instrumentationScope)
      .createHistogram('grpc.client.call.retries', { unit: '{retry}' });
    retries.record(previousAttempts, { 'grpc.method': method.name });
    const attempts = previousAttempts + 1;
    // grpc-js does not call back in the context of the call, from which a log line takes its trace.
    context.with(calling, () =>
      log?.info({ method: method.name, code: codeName(code), attempts }, 'call retried'),
    );
  });
}
