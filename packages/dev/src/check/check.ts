import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCommandLine } from '../cli/command-line.ts';
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
import { checkBreaking } from './contract/check-breaking.ts';
import { checkGeneratedCode } from './contract/check-generated-code.ts';
import { checkPolicies } from './contract/check-policies.ts';
import { contractBase } from './contract/contract-base.ts';
import { type ContractImages, compileContracts } from './contract/contract-images.ts';
import { checkImports } from './imports/check-imports.ts';
import { checkKubernetes } from './kubernetes/check-kubernetes.ts';
import { checkObservability } from './observability/check-observability.ts';
import { checkScraping } from './observability/scrape-rules.ts';
import { checkTightened } from './policy-gate/check-tightened.ts';

/** Undefined when a check passes, otherwise its problems, or the reason why it was skipped. CI requires every check. */
type Result = string | { readonly skipped: string } | undefined;

/** An error that a check throws is a problem too. */
type Check = () => Result | Promise<Result>;

const checks: Record<string, Check> = {
  'format and lint': () => run('biome', 'ci', '--colors=off', '--error-on-warnings', '.'),
  types: () => run('tsc', '--noEmit', '--project', '.'),
  'no dead code, no unused dependency': () => run('knip', '--no-progress', '--treat-config-hints-as-errors'),
  'imports run one way': () => checkImports(),
  'buf lint': () => run('buf', 'lint'),
  'buf format': () => run('buf', 'format', '--diff', '--exit-code'),
  'buf breaking': () => compareWithBase(checkBreaking),
  'no tighter policy or rule': () => compareWithBase(checkTightened),
  'a policy on every method': () => checkPolicies(),
  "protovalidate's contract up to date": () =>
    !isKitVendored || readFileSync(join(root, validateProtoFile), 'utf8') === printValidateProto()
      ? undefined
      : `${validateProtoFile} is not that of the npm package: npm run generate`,
  'generated code up to date': () => checkGeneratedCode(),
  'the examples of services.ts': () => checkExamples(),
  'docs/settings.md up to date': async () =>
    readFileSync(join(root, settingsFile), 'utf8') === (await settingsDocument())
      ? undefined
      : `${settingsFile} is not what the readers declare: npm run generate`,
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

parseCommandLine({ usage: 'usage: npm run check' });

const lines: string[] = [];
let passed = 0;
let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const startMs = performance.now();
  const result = await attempt(check);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  if (result === undefined) {
    passed += 1;
    report(`ok   ${name} (${seconds} s)`);
  } else if (typeof result === 'object') report(`skip ${name}: ${result.skipped}`);
  else {
    failed += 1;
    report(`FAIL ${name} (${seconds} s)\n${result.trimEnd()}\n`);
  }
}
report(`checks: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

// GitHub shows the summary on the page of the run.
const summary = process.env.GITHUB_STEP_SUMMARY;
if (summary) appendFileSync(summary, `## npm run check\n\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n`);

function report(line: string): void {
  lines.push(line);
  process.stdout.write(`${line}\n`);
}

async function attempt(check: Check): Promise<Result> {
  try {
    const result = await check();
    return typeof result === 'object' && process.env.CI ? `${result.skipped}, which CI requires` : result;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Compares the contract with that of the earlier commit, if there is one. */
function compareWithBase(compare: (images: ContractImages) => string | undefined): string | undefined {
  const base = contractBase();
  if (base === undefined) {
    process.stdout.write('     no earlier commit has a contract to compare with\n');
    return undefined;
  }
  using images = compileContracts(base, root);
  return compare(images);
}

function run(command: string, ...args: string[]): undefined {
  runCommand(root, command, ...args);
}
