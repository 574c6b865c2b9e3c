import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseCommandLine } from '../cli/command-line.ts';
import { root } from '../repository/paths.ts';
import { isKitVendored } from '../repository/project.ts';
import { contracts } from './contracts.ts';
import { printValidateProto, validateProtoFile } from './print-validate-proto.ts';
import { printPrometheusRules, prometheusRulesFile } from './prometheus-rules.ts';
import { referenceFiles, writeReference } from './reference/reference-files.ts';

parseCommandLine({ usage: 'usage: npm run generate' });

// protovalidate's .proto from its package, then the code of the contracts.
if (isKitVendored) writeFileSync(join(root, validateProtoFile), printValidateProto());
for (const { template } of contracts) {
  const { status } = spawnSync('buf', ['generate', '--template', template], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
// Imported only now, because it imports the services' readers, which may import the code that was just generated.
const { settingsDocument, settingsFile } = await import('../settings/settings-document.ts');
const { policies, services } = await import('../repository/load-services.ts');
writeFileSync(join(root, settingsFile), await settingsDocument());
writeReference(root, referenceFiles(root, services, policies));
const { printProjectFiles } = await import('./project-files.ts');
for (const [file, text] of printProjectFiles()) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}
const prometheusRules = printPrometheusRules();
if (prometheusRules !== undefined) writeFileSync(join(root, prometheusRulesFile), prometheusRules);
