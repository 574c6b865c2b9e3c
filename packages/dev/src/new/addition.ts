import type { ServicePlan } from './plan.ts';
import type { Files, Ports } from './render.ts';

/** A new service, for the files that list the services. */
export interface Addition {
  readonly plan: ServicePlan;
  readonly ports: Ports;
  /** What the template has rendered. */
  readonly rendered: Files;
}
