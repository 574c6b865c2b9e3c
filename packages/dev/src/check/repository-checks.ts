import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../cli/run-command.ts';
import { printValidateProto, validateProtoFile } from '../generate/print-validate-proto.ts';
import { printPrometheusRules, prometheusRulesFile } from '../generate/prometheus-rules.ts';
import { referenceFiles, staleReference } from '../generate/reference/reference-files.ts';
import { policies, services } from '../repository/load-services.ts';
import { root } from '../repository/paths.ts';
import { isKitVendored } from '../repository/project.ts';
import { settingsDocument, settingsFile } from '../settings/settings-document.ts';
import { checkExamples } from './check-examples.ts';
import { checkImageBuilds } from './check-image-builds.ts';
import { checkImageDigests } from './check-image-digests.ts';
import { checkWorkflows } from './check-workflows.ts';
import { checkCompose } from './compose/check-compose.ts';
import { checkGeneratedCode } from './contract/check-generated-code.ts';
import { checkImports } from './imports/check-imports.ts';
import { checkKubernetes } from './kubernetes/check-kubernetes.ts';
import { checkObservability } from './observability/check-observability.ts';
import { checkScraping } from './observability/scrape-rules.ts';
import type { Check } from './run-checks.ts';

/** The checks of this repository and its copies, without those of the contract itself. */
export const repositoryChecks: Readonly<Record<string, Check>> = {
  'format and lint': () => run('biome', 'ci', '--colors=off', '--error-on-warnings', '.'),
  types: () => run('tsc', '--noEmit', '--project', '.'),
  'no dead code, no unused dependency': () => run('knip', '--no-progress', '--treat-config-hints-as-errors'),
  'imports run one way': () => checkImports(),
  'the examples of services.ts': () => checkExamples(),
  "protovalidate's contract up to date": () =>
    !isKitVendored || readFileSync(join(root, validateProtoFile), 'utf8') === printValidateProto()
      ? undefined
      : `${validateProtoFile} is not that of the npm package: npm run generate`,
  'generated code up to date': () => checkGeneratedCode(),
  'docs/settings.md up to date': async () =>
    readFileSync(join(root, settingsFile), 'utf8') === (await settingsDocument())
      ? undefined
      : `${settingsFile} is not what the readers declare: npm run generate`,
  'files of the kit up to date': async () => {
    const { printProjectFiles } = await import('../generate/project-files.ts');
    const stale = [...printProjectFiles()].filter(
      ([file, text]) => !existsSync(join(root, file)) || readFileSync(join(root, file), 'utf8') !== text,
    );
    const files = stale.map(([file]) => file).join(', ');
    return files ? `not what npm run generate writes: ${files}` : undefined;
  },
  'API pages, OpenAPI and service configs up to date': () => {
    const stale = staleReference(root, referenceFiles(root, services, policies));
    return stale.length > 0
      ? `not generated from the present contract: ${stale.join(', ')}: npm run generate`
      : undefined;
  },
  "Kubernetes' alerts up to date": () => {
    const rules = printPrometheusRules();
    return rules === undefined || readFileSync(join(root, prometheusRulesFile), 'utf8') === rules
      ? undefined
      : `${prometheusRulesFile} is not what deploy/observability/prometheus/rules has: npm run generate`;
  },
  workflows: checkWorkflows,
  'images pinned by digest': () => checkImageDigests(),
  'an image of every service': () => checkImageBuilds(),
  'dashboards and alerts query documented metrics': checkObservability,
  'every service is scraped': checkScraping,
  Compose: checkCompose,
  'Kubernetes manifests': () => checkKubernetes(),
};

function run(command: string, ...args: string[]): undefined {
  runCommand(root, command, ...args);
}
