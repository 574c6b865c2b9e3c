import type { PartState } from '../../api.ts';

type Health = 'good' | 'degraded' | 'bad';

const healths: Readonly<Record<PartState, Health>> = {
  up: 'good',
  'not ready': 'degraded',
  starting: 'degraded',
  delayed: 'degraded',
  paused: 'bad',
  down: 'bad',
  cut: 'bad',
  'black-holed': 'bad',
};

/** The state of a part as a shape and a word. */
export function PartStateMark({ state }: { readonly state: PartState }) {
  const health = healths[state];
  return (
    <span class={`part-state ${health}`}>
      <svg class="mark" viewBox="0 0 10 10" aria-hidden="true">
        {health === 'good' && <circle cx="5" cy="5" r="4" />}
        {health === 'degraded' && <path d="M5 0.75L9.5 9H0.5Z" />}
        {health === 'bad' && <path class="cross" d="M1.5 1.5L8.5 8.5M8.5 1.5L1.5 8.5" />}
      </svg>
      {state}
    </span>
  );
}
