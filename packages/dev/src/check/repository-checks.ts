import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { runCommand } from '../cli/run-command.ts';
import { type OutputFiles, staleFiles } from '../generate/output-files.ts';
import { printValidateProto, validateProtoFile } from '../generate/print-validate-proto.ts';
import { printProjectFiles } from '../generate/project-files.ts';
import { printPrometheusRules } from '../generate/prometheus-rules.ts';
import { referenceFiles } from '../generate/reference/reference-files.ts';
import { policies, services } from '../repository/load-services.ts';
import { root } from '../repository/paths.ts';
import { isKitVendored } from '../repository/project.ts';
import { settingsDocument, settingsFile } from '../settings/settings-document.ts';
import { checkBundles } from './check-bundles.ts';
import { checkExamples } from './check-examples.ts';
import { checkImageBuilds } from './check-image-builds.ts';
import { checkImageDigests } from './check-image-digests.ts';
import { checkWorkflows } from './check-workflows.ts';
import { checkCompose } from './compose/check-compose.ts';
import { checkGeneratedCode } from './contract/check-generated-code.ts';
import { checkImports } from './imports/check-imports.ts';
import { checkKubernetes } from './kubernetes/check-kubernetes.ts';
import { checkMigrations } from './migrations/check-migrations.ts';
import { checkObservability } from './observability/check-observability.ts';
import { checkScraping } from './observability/scrape-rules.ts';
import type { Check } from './run-checks.ts';

/** The checks of this repository and its copies, without those of the contract itself. */
export const repositoryChecks: Readonly<Record<string, Check>> = {
  'format and lint': () => run('biome', 'ci', '--colors=off', '--error-on-warnings', '.'),
  types: () => {
    for (const project of typeScriptProjects()) run('tsc', '--noEmit', '--project', project);
    return undefined;
  },
  'no dead code, no unused dependency': () => run('knip', '--no-progress', '--treat-config-hints-as-errors'),
  'imports run one way': () => checkImports(),
  'the examples of services.ts': () => checkExamples(),
  "protovalidate's contract up to date": () =>
    isKitVendored
      ? upToDate(new Map([[validateProtoFile, printValidateProto()]]), 'not that of the npm package')
      : undefined,
  'generated code up to date': () => checkGeneratedCode(),
  'docs/settings.md up to date': async () =>
    upToDate(new Map([[settingsFile, await settingsDocument()]]), 'not what the readers declare'),
  'files of the kit up to date': () =>
    upToDate(printProjectFiles(), 'not those of the kit with the streams of services.ts'),
  'API pages, OpenAPI and service configs up to date': () =>
    upToDate(referenceFiles(root, services, policies), 'not generated from the present contract'),
  "Kubernetes' alerts up to date": () =>
    upToDate(printPrometheusRules(), 'not what deploy/observability/prometheus/rules has'),
  'migrations in rolling deploys': () => checkMigrations(),
  workflows: checkWorkflows,
  'images pinned by digest': () => checkImageDigests(),
  'an image of every service': () => checkImageBuilds(),
  'a bundle of every service': checkBundles,
  'dashboards and alerts query documented metrics': checkObservability,
  'every service is scraped': checkScraping,
  Compose: checkCompose,
  'Kubernetes manifests': () => checkKubernetes(),
};

function upToDate(files: OutputFiles, problem: string): string | undefined {
  const stale = staleFiles(root, files);
  return stale.length > 0 ? `${problem}: ${stale.join(', ')}: npm run generate` : undefined;
}

/** Returns the folder of the repository, and those of pages, whose `tsconfig.json` has the types of a browser. */
function typeScriptProjects(): readonly string[] {
  return ['.', ...globSync('lab/*/page/tsconfig.json', { cwd: root }).map((file) => dirname(file))];
}

function run(command: string, ...args: string[]): undefined {
  runCommand(root, command, ...args);
}
