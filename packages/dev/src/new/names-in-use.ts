import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServicePlan } from './plan.ts';

/**
 * @throws Error that says which of the plan's words cannot be had in this repository, and why.
 */
export function requireFreeNames(root: string, plan: ServicePlan): void {
  const { service } = plan;
  for (const folder of [`services/${service}`, `proto/${service}`, `node_modules/@acme/${service}`])
    if (existsSync(join(root, folder)))
      throw new Error(
        `${service} is taken: there is ${folder}. Choose another name, or remove what is there`,
      );
  if (service === 'postgres')
    throw new Error('postgres is taken: PostgreSQL has a database of this name. Choose another name');
  const used = wordsOfTemplate(join(root, 'packages/dev/template'));
  for (const word of [service, plan.stem, plan.thing, plan.things]) {
    const code = [word, word.toLowerCase()].find((each) => used.has(each) || !isIdentifier(each));
    if (code !== undefined)
      throw new Error(
        `${word} cannot be had: ${code} means something in the code that would be written. Choose another`,
      );
  }
}

/** Every word of the template's code, so that no name of the new service hides one. */
function wordsOfTemplate(folder: string): ReadonlySet<string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const code = files
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
    // Comments and texts may say what they like.
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'/g, '');
  return new Set(code.match(/\b[A-Za-z]+\b/g));
}

/** Whether JavaScript leaves the word to others. */
function isIdentifier(word: string): boolean {
  try {
    new Function(`'use strict'; const ${word} = 0;`);
    return true;
  } catch {
    return false;
  }
}
