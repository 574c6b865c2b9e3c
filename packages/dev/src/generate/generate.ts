import { spawnSync } from 'node:child_process';
import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { fail } from '../cli/fail.ts';
import { root } from '../repository/paths.ts';
import { isKitVendored } from '../repository/project.ts';
import { contracts } from './contracts.ts';
import { writeFiles } from './output-files.ts';
import { printValidateProto, validateProtoFile } from './print-validate-proto.ts';
import { printPrometheusRules } from './prometheus-rules.ts';
import { referenceFiles } from './reference/reference-files.ts';

parseCommandLine({
  call: 'npm run generate',
  summary: `Generates code, API pages, OpenAPI and gRPC service configs from the contract, docs/settings.md from the config
readers, and the alerts of Kubernetes from those of Prometheus.`,
});

// protovalidate's .proto from its package, then the code of the contracts.
if (isKitVendored) writeFiles(root, new Map([[validateProtoFile, printValidateProto()]]));
for (const { template } of contracts) {
  const args = ['generate', '--template', template];
  const { status, error } = spawnSync('buf', args, { cwd: root, stdio: 'inherit' });
  if (error) fail(`buf cannot be run (${error.message}): npm ci installs it, and npm run generate finds it`);
  if (status !== 0) process.exit(status ?? 1);
}
// Imported only now, because they import the services' readers, which may import the code that was just generated.
const { settingsDocument, settingsFile } = await import('../settings/settings-document.ts');
const { policies, services } = await import('../repository/load-services.ts');
const { printProjectFiles } = await import('./project-files.ts');
writeFiles(root, new Map([[settingsFile, await settingsDocument()]]));
writeFiles(root, referenceFiles(root, services, policies));
writeFiles(root, printProjectFiles());
// Read from the rules, which are among the files of the project.
writeFiles(root, printPrometheusRules());
