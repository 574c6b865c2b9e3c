import type { LoadBalancingConfig } from '@grpc/grpc-js';
import { outlierEjectionName, registerOutlierEjection } from './outlier-ejection.ts';
import { registerPeakEwma } from './peak-ewma.ts';

/**
 * How calls are spread over the replicas of a target: one after the other, or where they are answered soonest. Take
 * the latter where replicas differ: in machine, in neighbours, in what they have cached.
 */
export type Balancing = 'round_robin' | 'peak_ewma';

/** The balancing part of a service config; the policies in it are registered. */
export function loadBalancingConfigOf(balancing: Balancing): LoadBalancingConfig[] {
  registerOutlierEjection();
  registerPeakEwma();
  return [{ [outlierEjectionName]: { childPolicy: [{ [balancing]: {} }] } }];
}
