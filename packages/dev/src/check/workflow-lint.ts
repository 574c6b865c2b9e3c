import { readdir, readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { root } from '../repository/paths.ts';
import { workflowRuleBreaks } from './workflow-rules.ts';

// GitHub's language service is built for bundlers, which import JSON without saying so; Node wants it said.
registerHooks({
  load: (url, context, next) =>
    next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context),
});
const { validate } = await import('@actions/languageservice/validate');
const { clearCache } = await import('@actions/languageservice/utils/workflow-cache');
const { registerLogger } = await import('@actions/languageservice/log');

// What it stumbles over it only logs, and says that the file is good.
const ignore = () => undefined;
const refuse = (message: string): never => {
  throw new Error(message);
};
registerLogger({ log: ignore, info: ignore, warn: ignore, error: refuse });

const folder = '.github/workflows';

/** What is wrong with the workflows of the repository, a line each; undefined when nothing. */
export async function workflowLint(): Promise<string | undefined> {
  const files = (await readdir(join(root, folder))).filter((file) => /\.ya?ml$/.test(file));
  if (files.length === 0) return `${folder} holds no workflow`;
  const problems = await Promise.all(
    files.map(async (file) => workflowProblems(file, await readFile(join(root, folder, file), 'utf8'))),
  );
  return problems.flat().join('\n') || undefined;
}

/** What GitHub will not take of this workflow, or else what breaks our own rules. */
export async function workflowProblems(file: string, text: string): Promise<string[]> {
  // By its folder the language service knows a workflow; of other files it says nothing.
  const path = `${folder}/${file}`;
  clearCache();
  const diagnostics = await validate(TextDocument.create(`file:///${path}`, 'yaml', 1, text));
  const errors = diagnostics.map(({ range, message }) => `${path}:${range.start.line + 1}: ${message}`);
  return errors.length > 0 ? errors : workflowRuleBreaks(text).map((rule) => `${path}: ${rule}`);
}
