import { isScalar, parseDocument, visit } from 'yaml';

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly uses?: string;
  readonly permissions?: unknown;
  readonly 'timeout-minutes'?: unknown;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on?: unknown;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs?: Readonly<Record<string, Job>>;
}

/** Triggers that give the code of a stranger's pull request our secrets and a token that writes. */
const unsafeTriggers = ['pull_request_target', 'workflow_run'];

/** A title, a branch's name, a comment: whoever writes one writes the script. */
const strangersText = /\$\{\{[^}]*github\.(event\.|head_ref)/;

/**
 * What a workflow of ours has to say beyond what GitHub asks for: every action pinned by the digest of a commit, with
 * its version beside it, no permission that is not named, a bound on time. After GitHub's "Secure use reference".
 */
export function workflowRuleBreaks(text: string): string[] {
  const document = parseDocument(text);
  const workflow: Workflow = document.toJS() ?? {};
  const breaks: string[] = [];

  visit(document, {
    Pair(_key, { key, value }) {
      if (!isScalar(key) || key.value !== 'uses' || !isScalar(value)) return;
      const action = String(value.value);
      if (action.startsWith('./')) return;
      if (!/@[0-9a-f]{40}$/.test(action)) breaks.push(`${action} is not pinned: name the commit, not a tag`);
      else if (!/^ ?v\d+\.\d+\.\d+$/.test(value.comment ?? ''))
        breaks.push(`${action} does not say its version: # v1.2.3`);
    },
  });

  if (JSON.stringify(workflow.permissions) !== '{}')
    breaks.push('permissions: {} is missing at the top: a job asks for what it needs');
  if (workflow.concurrency === undefined) breaks.push('concurrency is missing: a new push ends the old run');
  for (const trigger of unsafeTriggers)
    if (triggersOf(workflow.on).includes(trigger))
      breaks.push(`${trigger} runs strangers' code with our secrets`);
  for (const [name, job] of Object.entries(workflow.jobs ?? {})) {
    if (job.permissions === undefined) breaks.push(`job ${name} does not say its permissions`);
    // A called workflow bounds its own jobs.
    if (job.uses === undefined && job['timeout-minutes'] === undefined)
      breaks.push(`job ${name} has no timeout-minutes`);
    for (const step of job.steps ?? []) {
      if (strangersText.test(step.run ?? ''))
        breaks.push(`job ${name} puts a stranger's text into a script: hand it over in env`);
      if (step.uses?.startsWith('actions/checkout@') && step.with?.['persist-credentials'] !== false)
        breaks.push(`job ${name} leaves its token in .git: persist-credentials: false`);
    }
  }
  return breaks;
}

function triggersOf(on: unknown): string[] {
  if (typeof on === 'string') return [on];
  return Array.isArray(on) ? on : Object.keys(on ?? {});
}
