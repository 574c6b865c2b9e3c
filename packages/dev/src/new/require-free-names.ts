import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { kitProtoFolder, kitScope, scope, templateFolder } from '../repository/project.ts';
import { localNameOf } from './names/word-forms.ts';
import type { ServicePlan } from './plan-service.ts';

/** Throws an Error if a name of the plan is taken in this repository, or has a meaning in the code of the template. */
export function requireFreeNames(root: string, plan: ServicePlan): void {
  const { service, contract } = plan;
  for (const folder of [
    `services/${service}`,
    ...(contract ? [] : [`proto/${service}`]),
    `${kitProtoFolder}/${service}`,
    `node_modules/${scope}/${service}`,
    `node_modules/${kitScope}/${service}`,
    `deploy/kubernetes/base/${service}`,
    `deploy/kubernetes/components/cert-manager/${service}.yaml`,
    `deploy/kubernetes/components/cloudnative-pg/${service}.yaml`,
    `deploy/kubernetes/overlays/development/${service}`,
  ])
    if (existsSync(join(root, folder)))
      throw new Error(`${service} is taken: ${folder} exists. Choose another name, or remove the folder`);
  if (service === 'postgres')
    throw new Error('postgres is taken: PostgreSQL has a database of this name. Choose another name');
  const file = composeFileWith(root, service);
  if (file) throw new Error(`${service} is taken: ${file} has a container of this name. Choose another name`);
  const used = wordsOfTemplate(templateFolder);
  for (const word of [service, plan.stem, plan.resource, plan.resources]) {
    const code = [word, localNameOf(word)].find((each) => used.has(each) || !isIdentifier(each));
    if (code !== undefined)
      throw new Error(
        `${word} is taken: ${code} has a meaning in the code of a service. Choose another name`,
      );
  }
}

/** Returns the shared file of Compose that has a container of this name. Undefined when there is none. */
function composeFileWith(root: string, name: string): string | undefined {
  return globSync('deploy/compose/*.yaml', { cwd: root }).find((file) => {
    const { services = {} }: { services?: object } = parse(readFileSync(join(root, file), 'utf8')) ?? {};
    return name in services;
  });
}

/** Returns every word of the template's code, so that no name of the new service hides one. */
function wordsOfTemplate(folder: string): ReadonlySet<string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const code = files
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
    // Names in comments and texts hide nothing.
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'/g, '');
  return new Set(code.match(/\b[A-Za-z]+\b/g));
}

/** Returns whether the word is an identifier in JavaScript, and not a reserved word. */
function isIdentifier(word: string): boolean {
  try {
    new Function(`'use strict'; const ${word} = 0;`);
    return true;
  } catch {
    return false;
  }
}
