import { errorText } from '@acme/dev/cli';

/** The actions on a part, each of which waits for those before. */
export interface ActionQueue {
  readonly isActing: boolean;
  /** Number of beginnings and ends of actions. */
  readonly generation: number;
  /** Why the last action failed. Null if it did not. */
  readonly problem: string | null;
  /** Resolves when the action and `afterEach` are done. */
  run(action: QueuedAction): Promise<void>;
}

export interface QueuedAction {
  readonly begin: () => Promise<void>;
  /** False for an action that interrupts those in progress. */
  readonly waits?: boolean;
  /** Called when it has failed, unless a later action has interrupted it, by which it fails. */
  readonly onFailed?: () => void;
}

/** @param afterEach Runs after each action, before the next one. */
export function createActionQueue(afterEach: () => Promise<void>): ActionQueue {
  let acting: Promise<unknown> = Promise.resolve();
  let inProgress = 0;
  let begun = 0;
  let generation = 0;
  let problem: string | null = null;
  const act = async ({ begin, onFailed }: QueuedAction) => {
    const number = ++begun;
    generation++;
    inProgress++;
    const [result] = await Promise.allSettled([Promise.try(begin)]);
    generation++;
    inProgress--;
    await afterEach();
    const hasFailed = result.status === 'rejected';
    if (number === begun) {
      problem = hasFailed ? errorText(result.reason) : null;
      if (hasFailed) onFailed?.();
    }
    if (hasFailed) throw result.reason;
  };
  return {
    get isActing() {
      return inProgress > 0;
    },
    get generation() {
      return generation;
    },
    get problem() {
      return problem;
    },
    run: (action) => {
      const done = (action.waits ?? true) ? acting.then(() => act(action)) : act(action);
      acting = Promise.allSettled([acting, done]);
      return done;
    },
  };
}
