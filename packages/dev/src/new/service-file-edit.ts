import type { ServicePlan } from './plan-service.ts';
import type { Files, Ports } from './render-template.ts';

/** A new service, for the files that name every service. */
export interface NewService {
  readonly plan: ServicePlan;
  readonly ports: Ports;
  /** Files that were rendered from the template. */
  readonly rendered: Files;
}

/** Returns the text of a file that names every service, with the new service added. */
export type ServiceFileEdit = (text: string, service: NewService) => string;

/** Inserts a text after the last match in a file, or throws when there is none because the file was rewritten. */
export function insertAfterLast(text: string, pattern: RegExp, insertion: string): string {
  const last = [...text.matchAll(new RegExp(pattern, 'gm'))].at(-1);
  if (!last) throw new Error(`no match for ${pattern.source}`);
  const at = last.index + last[0].length;
  return text.slice(0, at) + insertion + text.slice(at);
}
