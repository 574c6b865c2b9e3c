import { metrics } from '@opentelemetry/api';
import { instrumentationScope } from '../telemetry/call-telemetry.ts';

export interface KeySetState {
  /** Time since the key set was last read. */
  readonly ageS: number;
  /** Attempts to read it that failed, since the start. */
  readonly failures: number;
}

/** Exports `rpc.server.auth.key_set.age` and `.failures`. Returns a function that stops the export. */
export function measureKeySet(read: () => KeySetState): () => void {
  const meter = metrics.getMeter(instrumentationScope);
  const age = meter.createObservableGauge('rpc.server.auth.key_set.age', {
    unit: 's',
    description: 'Time since the JWK Set was last read.',
  });
  const failed = meter.createObservableCounter('rpc.server.auth.key_set.failures', {
    unit: '{read}',
    description: 'Attempts to read the JWK Set that failed.',
  });
  const observeAge: Parameters<typeof age.addCallback>[0] = (result) => result.observe(read().ageS);
  const observeFailed: Parameters<typeof failed.addCallback>[0] = (result) => result.observe(read().failures);
  age.addCallback(observeAge);
  failed.addCallback(observeFailed);
  return () => {
    age.removeCallback(observeAge);
    failed.removeCallback(observeFailed);
  };
}
