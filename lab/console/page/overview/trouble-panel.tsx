import { type Signal, useSignal } from '@preact/signals';
import type { Action, Part, TroubleRequest } from '../../api.ts';
import { now } from '../data/clock.ts';
import { postJson } from '../data/console-api.ts';
import { isConnected, parts } from '../data/live.ts';
import { age } from '../widgets/format.ts';
import { Failure, Notice } from '../widgets/notice.tsx';
import { PartStateMark } from '../widgets/part-state.tsx';

const durations = [
  { text: '10 s', forMs: 10_000 },
  { text: '30 s', forMs: 30_000 },
  { text: 'until undone', forMs: null },
] as const;
const delayMs = 200;

const labels: Readonly<Record<Action, string>> = {
  kill: 'Kill',
  stop: 'Stop',
  pause: 'Pause',
  restart: 'Start',
  cut: 'Cut',
  delay: 'Delay',
  'black-hole': 'Black-hole',
  undo: 'Undo',
};

/** Actions that end trouble. The duration does not apply to them. */
const mending: ReadonlySet<Action> = new Set(['restart', 'undo']);

export function TroublePanel() {
  const duration = useSignal(0);
  return (
    <section class="panel trouble" aria-labelledby="trouble-title">
      <h2 id="trouble-title">Trouble</h2>
      <DurationChoice duration={duration} />
      {parts.value.length === 0 && <Notice>There is nothing to break yet.</Notice>}
      <ul>
        {parts.value.map((part) => (
          <PartRow key={part.id} part={part} forMs={durations[duration.value]?.forMs ?? null} />
        ))}
      </ul>
    </section>
  );
}

function DurationChoice({ duration }: { readonly duration: Signal<number> }) {
  return (
    <fieldset class="choice">
      <legend>Lasts</legend>
      {durations.map(({ text }, index) => (
        <label key={text}>
          <input
            type="radio"
            name="duration"
            checked={duration.value === index}
            onChange={() => (duration.value = index)}
          />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

function PartRow({ part, forMs }: { readonly part: Part; readonly forMs: number | null }) {
  const failure = useSignal('');
  const isSending = useSignal(false);
  const act = async (action: Action) => {
    const request: TroubleRequest = {
      part: part.id,
      action,
      forMs: mending.has(action) ? null : forMs,
      ...(action === 'delay' && { delayMs }),
    };
    isSending.value = true;
    failure.value = await postJson('/api/trouble', request).then(
      () => '',
      (error: Error) => error.message,
    );
    isSending.value = false;
  };
  return (
    <li data-part={part.id} data-state={part.state}>
      <div class="part-line">
        <strong>{part.name}</strong>
        <PartStateMark state={part.state} />
        <span class="since">{sinceText(part)}</span>
      </div>
      {part.actions.length > 0 && (
        <div class="part-actions">
          {part.actions.map((action) => (
            <button
              key={action}
              type="button"
              class={mending.has(action) && part.state !== 'up' ? 'mend' : ''}
              disabled={isSending.value || !isConnected.value}
              title={action === 'delay' ? `${delayMs} ms in each direction` : undefined}
              aria-label={`${labelOf(action, part)} ${part.name}`}
              onClick={() => act(action)}
            >
              {labelOf(action, part)}
            </button>
          ))}
        </div>
      )}
      <Failure message={failure.value || (part.problem ?? '')} />
      <Commands part={part} />
    </li>
  );
}

function labelOf(action: Action, { state }: Part): string {
  return action === 'restart' && state !== 'down' ? 'Restart' : labels[action];
}

function sinceText({ sinceMs, undoAtMs }: Part): string {
  return undoAtMs === null
    ? `for ${age(now.value - sinceMs)}`
    : `undone in ${age(Math.max(0, undoAtMs - now.value))}`;
}

/** The commands to paste into a terminal, where the console itself cannot break the part. */
function Commands({ part }: { readonly part: Part }) {
  if (!part.commands?.length) return null;
  return (
    <dl class="commands">
      {part.commands.map(({ label, command }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <code>{command}</code>
          </dd>
        </div>
      ))}
    </dl>
  );
}
