import { metrics } from '@opentelemetry/api';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { transientCodes } from '../errors/status-codes.ts';
import type { Logger } from '../logging/logger.ts';
import { instrumentationScope } from '../telemetry/call-telemetry.ts';
import { annotateSpan } from '../telemetry/span.ts';

export interface CircuitBreakerOptions {
  /** Name of the called service, in log lines and measurements: `inventory`. */
  readonly name: string;
  readonly log: Logger;
  /** Monotonic clock in ms. A jump of the wall clock could keep the circuit open for an hour. */
  readonly nowMs?: () => number;
  /** Returns a number from 0 to 1, for jitter, so that replicas do not probe together. */
  readonly random?: () => number;
}

/** `closed` permits every call, `probe-due` permits one call, and `open` permits none, also while a probe is in flight. */
export type CircuitState = 'closed' | 'probe-due' | 'open';

export interface CircuitBreaker {
  state(): CircuitState;
  /**
   * Makes the call and counts its outcome.
   *
   * @throws CircuitOpenError at once and without a call while the circuit is open. When it opens, pending calls are
   * rejected too: they stay in flight, and the service may have served them.
   */
  execute<T>(call: () => Promise<T>): Promise<T>;
}

/** UNAVAILABLE, because recent calls to the service failed. */
export class CircuitOpenError extends RpcError {
  constructor(name: string) {
    super(Code.UNAVAILABLE, `recent calls to ${name} failed: the next probe is due within a second`);
  }
}

/** The states of the pattern, of which `half-open` has a probe in flight. */
type Phase = 'closed' | 'half-open' | 'open';
/** `unknown`: the outcome says nothing about the service. */
type Outcome = 'answered' | 'failed' | 'unknown';

/** The same number ejects a single replica. */
const failuresToOpen = 5;
/** A DEADLINE_EXCEEDED earlier than this does not count as a failure: the caller gave the service too little time. */
const minTimeoutMs = 250;
/** Opens the circuit if no call is answered for this long while this many are pending: before their deadlines, under load. */
const silenceMs = 500;
const silentCalls = 16;
/** Time from opening to the first probe and from a failed probe to the next, with a jitter of 25 %. */
const openMs = 500;

/** `rpc.client.circuit_breaker.state`, by `circuit_breaker.name`. */
const phaseValues: Record<Phase, number> = { closed: 0, 'half-open': 1, open: 2 };

/**
 * Creates a circuit breaker (Nygard, Release It!): calls to a service that is down, hangs or cannot be reached fail at
 * once instead of at their deadlines.
 *
 * - Closed, it permits every call. It opens after five failures in a row: UNAVAILABLE, or DEADLINE_EXCEEDED after at least
 *   250 ms. Any other status is an answer, RESOURCE_EXHAUSTED too: an overloaded service sheds load by itself. It also
 *   opens if 16 calls are pending and none has been answered for 500 ms.
 * - Open, it rejects every call. After half a second it permits one call, the probe.
 * - A probe that fails opens it again. An answer closes it, even to a call from before it opened.
 *
 * A call counts once, after its retries. Use one breaker for all clients of a target, and one for each target.
 */
export function createCircuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  const { name, log, nowMs = () => performance.now(), random = Math.random } = options;
  const gauge = metrics.getMeter(instrumentationScope).createGauge('rpc.client.circuit_breaker.state', {
    description: '0 closed, 1 half-open, 2 open.',
  });
  let phase: Phase = 'closed';
  let failuresInARow = 0;
  let answeredAtMs = 0;
  let openedAtMs = 0;
  let probeDueAtMs = 0;
  let rejected = 0;
  /** Number of times it has opened. The failure of a call from before the last time does not count. */
  let openings = 0;
  /** Rejects each pending call. */
  const pending = new Set<(error: CircuitOpenError) => void>();
  let isChecking = false;

  const enter = (next: Phase) => {
    phase = next;
    gauge.record(phaseValues[next], { 'circuit_breaker.name': name });
  };
  const open = (reason: string, err?: unknown) => {
    if (phase === 'closed') {
      openedAtMs = nowMs();
      rejected = 0;
      log.warn({ circuit: name, err }, `circuit opened: ${reason}`);
    } else log.debug({ circuit: name, err }, `circuit stays open: ${reason}`);
    openings++;
    probeDueAtMs = nowMs() + openMs * (0.75 + random() / 2);
    enter('open');
    for (const reject of pending) reject(new CircuitOpenError(name));
    pending.clear();
  };
  const close = () => {
    failuresInARow = 0;
    if (phase === 'closed') return;
    log.info({ circuit: name, open_ms: Math.round(nowMs() - openedAtMs), rejected }, 'circuit closed');
    enter('closed');
  };
  const fail = (err: unknown) => {
    if (phase === 'half-open') open('the probe failed', err);
    else if (++failuresInARow >= failuresToOpen) open(`${failuresInARow} calls in a row failed`, err);
  };
  const isSilent = () =>
    phase === 'closed' && pending.size >= silentCalls && nowMs() - answeredAtMs >= silenceMs;
  /** Checks after the next poll of the sockets, because answers may be unread if this process was busy. */
  const checkSilence = () => {
    if (isChecking || !isSilent()) return;
    isChecking = true;
    setImmediate(() => {
      isChecking = false;
      if (isSilent()) open(`${pending.size} calls are pending and none is answered`);
    });
  };

  const state = (): CircuitState => {
    if (phase === 'closed') return 'closed';
    return phase === 'open' && nowMs() >= probeDueAtMs ? 'probe-due' : 'open';
  };
  const admit = () => {
    checkSilence();
    if (state() === 'open') {
      rejected++;
      // Without a call there is no CLIENT span that shows why the work was not done.
      annotateSpan({ 'circuit_breaker.open': name });
      throw new CircuitOpenError(name);
    }
    if (phase === 'closed') return;
    log.debug({ circuit: name }, 'circuit half-open: one call is the probe');
    enter('half-open');
  };
  const count = (outcome: Outcome, openingsAtStart: number, err?: unknown) => {
    if (outcome === 'answered') {
      answeredAtMs = nowMs();
      close();
    } else if (openings === openingsAtStart) {
      if (outcome === 'failed') fail(err);
      // The probe had no clear outcome, so the next call is a probe.
      else if (phase === 'half-open') enter('open');
    }
  };

  enter('closed');
  return {
    state,
    execute: async <T>(call: () => Promise<T>) => {
      admit();
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const startMs = nowMs();
      const openingsAtStart = openings;
      if (pending.size === 0) answeredAtMs = startMs;
      pending.add(reject);
      call().then(
        (answer) => {
          pending.delete(reject);
          count('answered', openingsAtStart);
          resolve(answer);
        },
        (error: unknown) => {
          pending.delete(reject);
          count(outcomeOf(error, nowMs() - startMs), openingsAtStart, error);
          reject(error);
        },
      );
      return promise;
    },
  };
}

/** Classifies a failed call. One that its caller cancelled, or gave too little time, says nothing about the service. */
function outcomeOf(error: unknown, durationMs: number): Outcome {
  if (!(error instanceof RpcError) || error.code === Code.CANCELLED) return 'unknown';
  if (!transientCodes.has(error.code)) return 'answered';
  return error.code === Code.DEADLINE_EXCEEDED && durationMs < minTimeoutMs ? 'unknown' : 'failed';
}
