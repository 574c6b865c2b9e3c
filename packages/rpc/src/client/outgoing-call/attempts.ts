import type { EventEmitter } from 'node:events';
import type { Metadata, StatusObject } from '@grpc/grpc-js';
import { context, metrics, trace } from '@opentelemetry/api';
import { currentCall, type MethodInfo } from '../../call/call-context.ts';
import { codeName } from '../../errors/rpc-error.ts';
import { instrumentationScope, previousAttemptsAttribute } from '../../telemetry/call-telemetry.ts';
import { isGrpcInstrumented } from '../../telemetry/telemetry.ts';

/** Where an attempt's number travels, 0 left out: to the server in the request, and with its answer to us (gRFC A6). */
const previousAttemptsKey = 'grpc-previous-rpc-attempts';

/**
 * Makes the attempts of a call visible when it took more than one: a line in the log of the call that is being served,
 * and `grpc.client.call.retries` (gRFC A96). A call that its caller ended has no answer that could tell.
 */
export function noteAttempts(call: EventEmitter, method: MethodInfo): void {
  const log = currentCall()?.log;
  // The call's own span; the official instrumentation's is not active any more.
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
    // Asked for each time: it is rare, and an SDK that was started later must see it too.
    const retries = metrics
      .getMeter(instrumentationScope)
      .createHistogram('grpc.client.call.retries', { unit: '{retry}' });
    retries.record(previousAttempts, { 'grpc.method': method.name });
    const attempts = previousAttempts + 1;
    // grpc-js does not call back in the context of the call, by which a line finds its trace.
    context.with(calling, () =>
      log?.info({ method: method.name, code: codeName(code), attempts }, 'call repeated'),
    );
  });
}
