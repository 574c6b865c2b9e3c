import { metrics } from '@opentelemetry/api';
import type { AdmissionSnapshot } from '../chain/admission.ts';
import type { HeldBytes } from '../grpc-js/messages/held-bytes.ts';
import { scope } from '../telemetry/call-telemetry.ts';

/** Measures how much a server lets in, of what it could, and what it refuses. The conventions have no names for it. */
export function measureAdmission(snapshot: () => AdmissionSnapshot): void {
  const meter = metrics.getMeter(scope);
  const call = { unit: '{call}' };
  meter
    .createObservableGauge('rpc.server.admission.limit', {
      ...call,
      description: 'How many unary calls may be in flight now.',
    })
    .addCallback((to) => to.observe(snapshot().limit));
  meter
    .createObservableGauge('rpc.server.admission.in_flight', {
      ...call,
      description: 'Unary calls that were let in and are not answered yet.',
    })
    .addCallback((to) => to.observe(snapshot().inFlight));
  meter
    .createObservableGauge('rpc.server.admission.streams', { ...call, description: 'Open streams.' })
    .addCallback((to) => to.observe(snapshot().streams));
  meter
    .createObservableCounter('rpc.server.admission.refusals', {
      ...call,
      description: 'Calls that were refused because the server was busy.',
    })
    .addCallback((to) => to.observe(snapshot().rejected));
}

/** Measures the memory that calls hold, and the calls that were ended because they held too much. */
export function measureHeldBytes(snapshot: HeldBytes['snapshot']): void {
  const meter = metrics.getMeter(scope);
  meter
    .createObservableGauge('rpc.server.held.size', {
      unit: 'By',
      description: 'Bytes of requests and responses that calls hold.',
    })
    .addCallback((to) => to.observe(snapshot().sizeBytes));
  meter
    .createObservableCounter('rpc.server.held.evictions', {
      unit: '{call}',
      description: 'Calls that were ended because their caller held the most bytes of a full server.',
    })
    .addCallback((to) => to.observe(snapshot().evicted));
}
