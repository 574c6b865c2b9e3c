import { metrics } from '@opentelemetry/api';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { transientCodes } from '../errors/status-codes.ts';
import type { Logger } from '../logging/logger.ts';
import { instrumentationScope } from '../telemetry/call-telemetry.ts';

export interface CircuitBreakerOptions {
  /** Whom it guards us against, on its log lines and measurements: `inventory`. */
  readonly name: string;
  readonly log: Logger;
  /** A clock that only moves forward, in ms: the wall clock may jump, and hold the circuit open for an hour. */
  readonly nowMs?: () => number;
  /** From 0 to 1, so that replicas do not probe together. */
  readonly random?: () => number;
}

export interface CircuitBreaker {
  /** How many calls it would let through now: Infinity while closed, 1 when a probe is due, 0 otherwise. */
  permits(): number;
  /**
   * Makes the call and judges how it ends. @throws CircuitOpenError while it is open, at once and without a call; and
   * when it opens, to all that wait: their calls go on, and may have been served.
   */
  execute<T>(call: () => Promise<T>): Promise<T>;
}

/** The service does not answer. */
export class CircuitOpenError extends RpcError {
  constructor(name: string) {
    super(Code.UNAVAILABLE, `${name} has not answered lately: it is asked again in a moment`);
  }
}

type State = 'closed' | 'half-open' | 'open';
type Verdict = 'answered' | 'failed' | 'none';

/** As many as eject a single replica: what is left of all of them is then no better. */
const failuresToOpen = 5;
/** A deadline that leaves less time than this is the caller's hurry, not the service's fault. */
const patienceMs = 250;
/** No answer to anybody for so long, with so many waiting: under load that is known before the first deadline. */
const silenceMs = 500;
const silentCalls = 16;
/** From opening to the probe, and from a probe that failed to the next. Give or take a quarter. */
const openMs = 500;

/** `rpc.client.circuit_breaker.state`, by `circuit_breaker.name`. */
const stateValues: Record<State, number> = { closed: 0, 'half-open': 1, open: 2 };

/**
 * A circuit breaker (Nygard, Release It!): a service that is dead, hung or behind a network that swallows everything
 * costs its callers nothing, instead of their deadlines.
 *
 * Closed, it lets every call through. Five in a row that fail open it: UNAVAILABLE, or DEADLINE_EXCEEDED of a caller
 * that had patience. Every other end is an answer, RESOURCE_EXHAUSTED too: a busy service says so in no time, and sheds
 * by itself. Silence opens it too, while many wait. Open, it fails every call, and after half a second lets one through
 * as its probe. The probe's failure opens it again; any answer closes it, also one to a call from before.
 *
 * It sees a call after its retries. Share one among the clients of a target, not among targets.
 */
export function createCircuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  const { name, log, nowMs = () => performance.now(), random = Math.random } = options;
  const gauge = metrics.getMeter(instrumentationScope).createGauge('rpc.client.circuit_breaker.state', {
    description: '0 closed, 1 half-open, 2 open.',
  });
  let state: State = 'closed';
  let failuresInARow = 0;
  let heardMs = 0;
  let openedMs = 0;
  let probeMs = 0;
  let refused = 0;
  /** Counts the openings: the failure of a call that began before the last one is no news. */
  let era = 0;
  /** What ends the wait of each that waits for an answer. */
  const waiting = new Set<(error: CircuitOpenError) => void>();
  let isListening = false;

  const enter = (next: State) => {
    state = next;
    gauge.record(stateValues[next], { 'circuit_breaker.name': name });
  };
  const open = (reason: string, err?: unknown) => {
    if (state === 'closed') {
      openedMs = nowMs();
      refused = 0;
      log.warn({ circuit: name, err }, `circuit opened: ${reason}`);
    } else log.debug({ circuit: name, err }, `circuit stays open: ${reason}`);
    era++;
    probeMs = nowMs() + openMs * (0.75 + random() / 2);
    enter('open');
    for (const letGo of waiting) letGo(new CircuitOpenError(name));
    waiting.clear();
  };
  const close = () => {
    failuresInARow = 0;
    if (state === 'closed') return;
    log.info({ circuit: name, open_ms: Math.round(nowMs() - openedMs), refused }, 'circuit closed');
    enter('closed');
  };
  const fail = (err: unknown) => {
    if (state === 'half-open') open('the probe failed', err);
    else if (++failuresInARow >= failuresToOpen) open(`${failuresInARow} calls in a row failed`, err);
  };
  const isSilent = () => state === 'closed' && waiting.size >= silentCalls && nowMs() - heardMs >= silenceMs;
  /** After a look at the sockets: answers may lie there, when it is this process that had no time. */
  const listen = () => {
    if (isListening || !isSilent()) return;
    isListening = true;
    setImmediate(() => {
      isListening = false;
      if (isSilent()) open(`${waiting.size} calls wait, and none is answered`);
    });
  };

  const permits = () => {
    if (state === 'closed') return Number.POSITIVE_INFINITY;
    return state === 'open' && nowMs() >= probeMs ? 1 : 0;
  };
  const admit = () => {
    listen();
    if (permits() === 0) {
      refused++;
      throw new CircuitOpenError(name);
    }
    if (state === 'closed') return;
    log.debug({ circuit: name }, 'circuit half-open: one call goes through as its probe');
    enter('half-open');
  };
  const judge = (verdict: Verdict, startEra: number, err?: unknown) => {
    if (verdict === 'answered') {
      heardMs = nowMs();
      close();
    } else if (era === startEra) {
      if (verdict === 'failed') fail(err);
      // The probe has told nothing: the next call is one.
      else if (state === 'half-open') enter('open');
    }
  };

  enter('closed');
  return {
    permits,
    execute: async <T>(call: () => Promise<T>) => {
      admit();
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const startMs = nowMs();
      const startEra = era;
      if (waiting.size === 0) heardMs = startMs;
      waiting.add(reject);
      call().then(
        (answer) => {
          waiting.delete(reject);
          judge('answered', startEra);
          resolve(answer);
        },
        (error: unknown) => {
          waiting.delete(reject);
          judge(verdictOn(error, nowMs() - startMs), startEra, error);
          reject(error);
        },
      );
      return promise;
    },
  };
}

/** What a call's failure says of the service. One that its caller ended, or was in too much of a hurry for, nothing. */
function verdictOn(error: unknown, durationMs: number): Verdict {
  if (!(error instanceof RpcError) || error.code === Code.CANCELLED) return 'none';
  if (!transientCodes.has(error.code)) return 'answered';
  return error.code === Code.DEADLINE_EXCEEDED && durationMs < patienceMs ? 'none' : 'failed';
}
