import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
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

/**
 * Returns what clients and their authors read in place of the contract: API pages, OpenAPI, service configs. The files of services
 * that are no longer listed must not exist.
 */
export function referenceFiles(
  root: string,
  services: readonly ServiceEntry[],
  policies: Policies,
): Map<string, string | undefined> {
  const files = serviceContracts(root, services).flatMap((contract) => filesOf(contract, policies));
  const present = presentReference(root).map((file): [string, undefined] => [file, undefined]);
  return new Map<string, string | undefined>([...present, ...files]);
}

function filesOf(contract: ServiceContract, policies: Policies): [string, string][] {
  const { name } = contract;
  return [
    [`${folders.api}/${name}.md`, printApiPage(contract, policies)],
    [`${folders.openapi}/${name}.json`, printOpenApi(contract, policies)],
    [`${folders.serviceConfig}/${name}.json`, printServiceConfig(contract, policies)],
  ];
}

/** Returns the paths of the files that are there, of services that are listed or not. */
export function presentReference(root: string): string[] {
  return Object.values(folders).flatMap((folder) =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((file) => `${folder}/${file}`) : [],
  );
}
