import type { Action, BreakerState, Command, Part, PartState } from '../../api.ts';

/** An action that breaks a part, or starts it again. `undo` ends what the others have caused. */
export type Breaking = Exclude<Action, 'undo'>;

/** A part of the system, with the trouble that the console can make. */
export interface Breakable extends Pick<Part, 'id' | 'kind' | 'name'> {
  /** Returns the state now, within three seconds. */
  observe(): Promise<PartState>;
  /** Returns what can be done in a state. */
  possible(state: PartState): readonly Breaking[];
  /** Resolves when it is done. */
  act(action: Breaking, options: { readonly delayMs: number }): Promise<void>;
  /** Ends all trouble: starts what is down, resumes what is paused, lets bytes pass. */
  undo(): Promise<void>;
  /** Ends the trouble that would keep the part from being stopped. Starts nothing. */
  release(): void;
  breakers?(): Readonly<Record<string, BreakerState>>;
  /** Commands to paste, where the console cannot do it itself. */
  readonly commands?: readonly Command[];
}
