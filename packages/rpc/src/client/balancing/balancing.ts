import type { LoadBalancingConfig } from '@grpc/grpc-js';
import { outlierEjectionName, registerOutlierEjection } from './outlier-ejection.ts';
import { registerPeakEwma } from './peak-ewma.ts';

/**
 * Balancing of calls over the replicas of a target: in turn, or to the replica with the lowest latency and load. Choose
 * `peak_ewma` where replicas differ: in their machines, in other load on them, or in what they have cached.
 */
export type Balancing = 'round_robin' | 'peak_ewma';

/** Returns the balancing part of a service config and registers its policies with grpc-js. */
export function loadBalancingConfigOf(balancing: Balancing): LoadBalancingConfig[] {
  registerOutlierEjection();
  registerPeakEwma();
  return [{ [outlierEjectionName]: { childPolicy: [{ [balancing]: {} }] } }];
}
