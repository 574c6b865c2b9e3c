import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Policies } from '@acme/rpc/contract';
import type { ServiceEntry } from '../../repository/service-entry.ts';
import { printApiPage } from './api-page.ts';
import { printOpenApi } from './openapi.ts';
import { printServiceConfig } from './service-config.ts';
import { type ServiceContract, serviceContracts } from './service-contract.ts';

/** Folders that have one file for each service, and nothing else. */
const folders = {
  api: 'docs/api',
  openapi: 'gen/openapi',
  serviceConfig: 'gen/service-config',
};

/** Returns what clients and their authors read in place of the contract, by path: API pages, OpenAPI, service configs. */
export function referenceFiles(
  root: string,
  services: readonly ServiceEntry[],
  policies: Policies,
): Map<string, string> {
  return new Map(serviceContracts(root, services).flatMap((contract) => filesOf(contract, policies)));
}

function filesOf(contract: ServiceContract, policies: Policies): [string, string][] {
  const { name } = contract;
  return [
    [`${folders.api}/${name}.md`, printApiPage(contract, policies)],
    [`${folders.openapi}/${name}.json`, printOpenApi(contract, policies)],
    [`${folders.serviceConfig}/${name}.json`, printServiceConfig(contract, policies)],
  ];
}

/** Writes the files, and removes those of services that are no longer listed. */
export function writeReference(root: string, files: ReadonlyMap<string, string>): void {
  for (const file of presentReference(root)) if (!files.has(file)) rmSync(join(root, file));
  for (const [file, text] of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
}

/** Returns the files that differ from what they must be, or that no service has. */
export function staleReference(root: string, files: ReadonlyMap<string, string>): string[] {
  const all = new Set([...files.keys(), ...presentReference(root)]);
  const textOf = (file: string) =>
    existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined;
  return [...all].filter((file) => textOf(file) !== files.get(file));
}

/** Returns the paths of the files that are there, of services that are listed or not. */
export function presentReference(root: string): string[] {
  return Object.values(folders).flatMap((folder) =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((file) => `${folder}/${file}`) : [],
  );
}
