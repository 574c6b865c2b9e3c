import { globSync } from 'node:fs';
import { settingsFile } from '../settings/settings-document.ts';
import { contracts } from './contracts.ts';
import { validateProtoFile } from './print-validate-proto.ts';
import { projectFiles } from './project-file-names.ts';
import { prometheusRulesFile } from './prometheus-rules.ts';
import { presentReference } from './reference/reference-files.ts';

/** Returns the paths of the files that `npm run generate` writes. A code generator's are those that are there. */
export function generatedFiles(root: string): string[] {
  const code = contracts.flatMap(({ generated }) => globSync(`${generated}/**/*.ts`, { cwd: root }));
  const files = [settingsFile, ...projectFiles, prometheusRulesFile, validateProtoFile];
  return [...files, ...presentReference(root), ...code];
}
