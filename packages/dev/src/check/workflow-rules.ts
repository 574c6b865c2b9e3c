import { isScalar, parseDocument, visit } from 'yaml';

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly uses?: string;
  readonly if?: unknown;
  readonly permissions?: unknown;
  readonly 'timeout-minutes'?: unknown;
  readonly strategy?: { readonly matrix?: unknown };
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on?: unknown;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs?: Readonly<Record<string, Job>>;
}

/** Triggers that run the code of an outside pull request with the repository's secrets and a token that can write. */
const unsafeTriggers = ['pull_request_target', 'workflow_run'];

/** A list that an earlier job returns. It may be empty, and GitHub fails a job with an empty matrix. */
const returnedList = /fromJSON\(\s*needs\./i;

/** Titles, branch names and comments: their authors could inject commands into a script. */
const untrustedText = /\$\{\{[^}]*github\.(event\.|head_ref)/;

/**
 * Requires of a workflow, after GitHub's "Secure use reference": every action pinned by commit with its version in a
 * comment, permissions for each job alone, a time limit, and no untrusted text in scripts. A matrix of a list that an earlier job
 * returns needs a condition.
 */
export function workflowRuleProblems(text: string): string[] {
  const document = parseDocument(text);
  const workflow: Workflow = document.toJS() ?? {};
  const problems: string[] = [];

  visit(document, {
    Pair(_key, { key, value }) {
      if (!isScalar(key) || key.value !== 'uses' || !isScalar(value)) return;
      const action = String(value.value);
      if (action.startsWith('./')) return;
      if (!/@[0-9a-f]{40}$/.test(action)) problems.push(`${action} is not pinned: use a commit, not a tag`);
      else if (!/^ ?v\d+\.\d+\.\d+$/.test(value.comment ?? ''))
        problems.push(`${action} lacks a comment with its version: # v1.2.3`);
    },
  });

  if (JSON.stringify(workflow.permissions) !== '{}')
    problems.push('permissions: {} is missing at the top: each job sets its own');
  if (workflow.concurrency === undefined) problems.push('concurrency is missing');
  for (const trigger of unsafeTriggers)
    if (triggersOf(workflow.on).includes(trigger))
      problems.push(`${trigger} runs outside code with the repository's secrets`);
  for (const [name, job] of Object.entries(workflow.jobs ?? {})) {
    if (job.permissions === undefined) problems.push(`job ${name} has no permissions`);
    // A called workflow sets the time limits of its own jobs.
    if (job.uses === undefined && job['timeout-minutes'] === undefined)
      problems.push(`job ${name} has no timeout-minutes`);
    if (returnedList.test(JSON.stringify(job.strategy?.matrix ?? '')) && job.if === undefined)
      problems.push(`job ${name} fails when the list of its matrix is empty: skip it with an if`);
    for (const step of job.steps ?? []) {
      if (untrustedText.test(step.run ?? ''))
        problems.push(`job ${name} puts untrusted text into a script: pass it in env`);
      if (step.uses?.startsWith('actions/checkout@') && step.with?.['persist-credentials'] !== false)
        problems.push(`job ${name} leaves its token in .git: set persist-credentials: false`);
    }
  }
  return problems;
}

function triggersOf(on: unknown): string[] {
  if (typeof on === 'string') return [on];
  return Array.isArray(on) ? on : Object.keys(on ?? {});
}
