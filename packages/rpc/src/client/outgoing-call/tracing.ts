import { type Attributes, type Context, context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { MethodInfo } from '../../call/call-context.ts';
import { setTimeoutAt } from '../../call/timer.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import {
  durationHistogram,
  instrumentationScope,
  methodAttributes,
  outcomeAttributes,
  serverAttributes,
} from '../../telemetry/call-telemetry.ts';
import { spanEnd, spanStart } from '../../telemetry/span-time.ts';
import { isGrpcInstrumented } from '../../telemetry/telemetry.ts';
import { abortableGenerator } from './abortable-generator.ts';
import { type CallOptions, outgoingDeadlineAtMs, type StreamCallOptions } from './call-options.ts';

/** Wraps the methods of a client. */
export interface ClientTracing {
  /** Traces a method with one response. */
  unaryResponse<Parameters extends unknown[], Response>(
    method: MethodInfo,
    call: (...parameters: Parameters) => Promise<Response>,
  ): (...parameters: Parameters) => Promise<Response>;
  /** Traces a method with a stream of responses. Its call begins when the first response is read. */
  streamResponse<Request, Response>(
    method: MethodInfo,
    call: (request: Request, options: StreamCallOptions) => AsyncGenerator<Response, void>,
  ): (request: Request, options?: CallOptions) => AsyncGenerator<Response, void>;
}

/** The span and the measurement of a call. */
interface CallSpan {
  readonly context: Context;
  /** Records the outcome. Later calls have no effect. */
  readonly end: (outcome: Attributes) => void;
}

const answered = outcomeAttributes(Code.OK, false);
/** A stream whose reader stops reading ends as intended. */
const stopped = outcomeAttributes(Code.CANCELLED, false);
const expired = outcomeAttributes(Code.DEADLINE_EXCEEDED, true);

/**
 * Records one CLIENT span for each call, and `rpc.client.call.duration` in seconds by method, code and target
 * (OpenTelemetry's semantic conventions for gRPC 1.45). The call runs within its span, so the server's span becomes a
 * child of it. Every code but OK is an error.
 *
 * The span covers the call as its caller sees it. The attempts that grpc-js makes within it have no client spans; each
 * has a span on the server that it reached.
 *
 * With the official instrumentation enabled, the spans are its own and the measurements stay.
 */
export function clientTracing(target: string): ClientTracing {
  const tracer = isGrpcInstrumented() ? undefined : trace.getTracer(instrumentationScope);
  const durations = durationHistogram('client');
  const server = serverAttributes(target);

  const opener = (method: MethodInfo) => {
    const attributes = { ...methodAttributes(method.name), ...server };
    return (): CallSpan => {
      const start = spanStart();
      const parent = context.active();
      const options = { kind: SpanKind.CLIENT, attributes, startTime: start.time };
      const span = tracer?.startSpan(method.name, options, parent);
      let hasEnded = false;
      return {
        context: span ? trace.setSpan(parent, span) : parent,
        end: (outcome) => {
          if (hasEnded) return;
          hasEnded = true;
          span?.setAttributes(outcome);
          if ('error.type' in outcome) span?.setStatus({ code: SpanStatusCode.ERROR });
          const endTime = spanEnd(start);
          span?.end(endTime);
          durations.record((endTime - start.time) / 1000, { ...attributes, ...outcome });
        },
      };
    };
  };

  return {
    unaryResponse: (method, call) => {
      const open = opener(method);
      return async (...parameters) => {
        const span = open();
        try {
          const response = await context.with(span.context, call, undefined, ...parameters);
          span.end(answered);
          return response;
        } catch (error) {
          span.end(failed(error));
          throw error;
        }
      };
    },
    streamResponse: (method, call) => {
      const open = opener(method);
      async function* traced(responses: ReturnType<typeof call>, options: StreamCallOptions) {
        const span = open();
        let outcome = stopped;
        let deadlineTimer: NodeJS.Timeout | undefined;
        // A generator runs in the context of the caller of its `next`.
        const next = () => context.with(span.context, () => responses.next());
        try {
          // A reader may abandon the generator without calling its `return`. The call ends at its deadline at the latest.
          const deadlineAtMs = outgoingDeadlineAtMs(method, options);
          if (deadlineAtMs < Infinity)
            deadlineTimer = setTimeoutAt(deadlineAtMs, () => span.end(expired)).unref();
          for (let result = await next(); !result.done; result = await next()) yield result.value;
          if (!options.readerSignal?.aborted) outcome = answered;
        } catch (error) {
          outcome = failed(error);
          throw error;
        } finally {
          await responses.return();
          clearTimeout(deadlineTimer);
          span.end(outcome);
        }
      }
      return (request, options = {}) =>
        abortableGenerator((readerSignal) => {
          const ownOptions = { ...options, readerSignal };
          return traced(call(request, ownOptions), ownOptions);
        });
    },
  };
}

/** An error without a status, for instance of the source of the requests, is UNKNOWN. */
function failed(error: unknown): Attributes {
  if (error instanceof RpcError) return outcomeAttributes(error.code, true);
  const type = error instanceof Error ? error.name : typeof error;
  return { ...outcomeAttributes(Code.UNKNOWN, true), 'error.type': type };
}
