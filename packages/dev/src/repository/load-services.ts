import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Policies } from '@acme/rpc/contract';
import type { ConsoleEntry } from './console-entry.ts';
import { root } from './paths.ts';
import type { ServiceEntry } from './service-entry.ts';

const file = join(root, 'services.ts');
if (!existsSync(file))
  throw new Error(
    `no services.ts in ${root} or a folder above: it lists the services, see the README of @acme/dev`,
  );

const listed: {
  readonly services: readonly ServiceEntry[];
  readonly policies?: Policies;
  readonly console?: ConsoleEntry;
} = await import(pathToFileURL(file).href);

/** Every service of this repository, each after those that it calls. */
export const services = listed.services;

/** Policies in code of the services whose contract states none, as the servers and clients of this repository use them. */
export const policies = listed.policies ?? {};

/** The page about the running services, if this repository has one. */
export const consoleEntry = listed.console;
