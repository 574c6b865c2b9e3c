import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './paths.ts';
import type { ServiceEntry } from './service-entry.ts';

const listed: { readonly services: readonly ServiceEntry[] } = await import(
  pathToFileURL(join(root, 'services.ts')).href
);

/** Every service of this repository, each after those that it calls. */
export const services = listed.services;
