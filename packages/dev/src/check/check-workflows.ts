import { readdir, readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { root } from '../repository/paths.ts';
import { workflowRuleProblems } from './workflow-rules.ts';

// GitHub's language service is built for bundlers: it imports JSON without the attribute that Node requires.
registerHooks({
  load: (url, context, next) =>
    next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context),
});
const { validate } = await import('@actions/languageservice/validate');
const { clearCache } = await import('@actions/languageservice/utils/workflow-cache');
const { registerLogger } = await import('@actions/languageservice/log');

// The language service logs its own failures and then reports a file without errors: a failure has to throw.
const ignore = () => undefined;
const fail = (message: string): never => {
  throw new Error(message);
};
registerLogger({ log: ignore, info: ignore, warn: ignore, error: fail });

const folder = '.github/workflows';

/** Lists the problems of the repository's workflows, a line each. Returns undefined when there are none. */
export async function checkWorkflows(): Promise<string | undefined> {
  const files = (await readdir(join(root, folder))).filter((file) => /\.ya?ml$/.test(file));
  if (files.length === 0) return `${folder} contains no workflow`;
  const problems = await Promise.all(
    files.map(async (file) => workflowProblems(file, await readFile(join(root, folder, file), 'utf8'))),
  );
  return problems.flat().join('\n') || undefined;
}

/** Lists what GitHub rejects in a workflow or, when it rejects nothing, the rules that the workflow breaks. */
export async function workflowProblems(file: string, text: string): Promise<string[]> {
  // The language service recognizes a workflow by its folder, and reports nothing for other files.
  const path = `${folder}/${file}`;
  clearCache();
  const diagnostics = await validate(TextDocument.create(`file:///${path}`, 'yaml', 1, text));
  const errors = diagnostics.map(({ range, message }) => `${path}:${range.start.line + 1}: ${message}`);
  return errors.length > 0 ? errors : workflowRuleProblems(text).map((problem) => `${path}: ${problem}`);
}
