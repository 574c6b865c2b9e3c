/** Makes a call for each cell of the table of outcomes, and prints the trace ids: `{"unary, OK": "5b8a…"}`. */

import '../../telemetry/register.ts';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { shutdownTelemetry } from '../../telemetry/telemetry.ts';
import { callOutcomes, runInNewTraces, startOutcomeStage } from '../call-outcomes.ts';
import { callsOfEachKind } from '../calls-of-each-kind.ts';

const traces: Record<string, string> = {};
{
  await using stage = await startOutcomeStage();
  for (const [kind, call] of callsOfEachKind) {
    for (const outcome of callOutcomes) {
      const { traceId } = await runInNewTraces(outcome, call, stage);
      // At a deadline or cancellation the client may finish first. The log line marks the end on the server.
      while (!stage.logLines.some(({ msg, trace_id }) => msg === 'call' && trace_id === traceId))
        await nextTurn();
      traces[`${kind}, ${outcome.name}`] = traceId;
    }
  }
}
await shutdownTelemetry();
process.stdout.write(JSON.stringify(traces));
process.exit();
