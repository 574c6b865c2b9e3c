import type { ServiceEntry } from '../../repository/service-entry.ts';

/** The part of an entry of `services.ts` that deployments are held to. */
export type ListedService = Pick<ServiceEntry, 'name' | 'port' | 'webPort' | 'metricsPort' | 'calls'>;
