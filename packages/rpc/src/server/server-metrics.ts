import { metrics } from '@opentelemetry/api';
import type { AdmissionSnapshot } from '../chain/admission.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import { instrumentationScope } from '../telemetry/call-telemetry.ts';

/** Reports the admission of a server as metrics. The semantic conventions have no names for them. */
export function measureAdmission(snapshot: () => AdmissionSnapshot): void {
  const meter = metrics.getMeter(instrumentationScope);
  const call = { unit: '{call}' };
  meter
    .createObservableGauge('rpc.server.admission.limit', {
      ...call,
      description: 'Current limit of unary calls in flight.',
    })
    .addCallback((to) => to.observe(snapshot().limit));
  meter
    .createObservableGauge('rpc.server.admission.in_flight', {
      ...call,
      description: 'Unary calls in flight.',
    })
    .addCallback((to) => to.observe(snapshot().inFlight));
  meter
    .createObservableGauge('rpc.server.admission.streams', { ...call, description: 'Open streams.' })
    .addCallback((to) => to.observe(snapshot().streams));
  meter
    .createObservableCounter('rpc.server.admission.rejections', {
      ...call,
      description: 'Calls rejected because the server was busy.',
    })
    .addCallback((to) => to.observe(snapshot().rejected));
}

/** Reports the memory budget of a server as metrics. */
export function measureMemoryBudget(snapshot: MemoryBudget['snapshot']): void {
  const meter = metrics.getMeter(instrumentationScope);
  meter
    .createObservableGauge('rpc.server.memory_budget.usage', {
      unit: 'By',
      description: 'Bytes that calls hold in request and response buffers.',
    })
    .addCallback((to) => to.observe(snapshot().sizeBytes));
  meter
    .createObservableCounter('rpc.server.memory_budget.evictions', {
      unit: '{call}',
      description: 'Calls ended because their caller held the most bytes of a full server.',
    })
    .addCallback((to) => to.observe(snapshot().evicted));
}
