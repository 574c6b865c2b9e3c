import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Load, LoadRequest } from '../../api.ts';
import { postJson } from '../data/console-api.ts';
import { batched } from '../data/frame.ts';
import { live } from '../data/live.ts';
import { count, milliseconds, rate } from '../widgets/format.ts';
import { Failure } from '../widgets/notice.tsx';
import { PlaceOne } from './place-one.tsx';

const sendMs = 150;
/** The slider follows the server again this long after the reader has moved it. */
const settleMs = 2000;

export function LoadControls() {
  const load = live.value?.load;
  const failure = useSignal('');
  const change = (request: LoadRequest) => {
    postJson('/api/load', request).then(
      () => (failure.value = ''),
      (error: Error) => (failure.value = error.message),
    );
  };
  return (
    <div class="load">
      <RateSlider load={load} onChange={(perSecond) => change({ perSecond })} />
      <div class="load-actions">
        <label class="switch">
          <input
            type="checkbox"
            role="switch"
            aria-checked={load?.hotItem ?? false}
            checked={load?.hotItem ?? false}
            disabled={!load}
            onChange={({ currentTarget }) => change({ hotItem: currentTarget.checked })}
          />
          Every order asks for {load ? load.hotSku : 'the hot item'}
        </label>
        <PlaceOne />
      </div>
      <Failure message={failure.value} />
    </div>
  );
}

interface RateSliderProps {
  readonly load: Load | undefined;
  readonly onChange: (perSecond: number) => void;
}

function RateSlider({ load, onChange }: RateSliderProps) {
  const moved = useSignal<{ readonly value: number; readonly atMs: number } | null>(null);
  const send = useMemo(() => batched(() => onChange(moved.peek()?.value ?? 0), sendMs), []);
  const isMoving = moved.value !== null && Date.now() - moved.value.atMs < settleMs;
  const wanted = (isMoving ? moved.value?.value : load?.wantedPerSecond) ?? 0;
  const max = load?.maxPerSecond ?? 100;
  return (
    <div class="rate">
      <label for="rate">Orders per second</label>
      <output class="wanted" for="rate">
        {count(wanted)}
      </output>
      <input
        id="rate"
        type="range"
        min={0}
        max={max}
        step={1}
        value={wanted}
        disabled={!load}
        style={{ '--filled': `${(100 * wanted) / max}%` }}
        onInput={({ currentTarget }) => {
          moved.value = { value: currentTarget.valueAsNumber, atMs: Date.now() };
          send();
        }}
      />
      <Answers load={load} />
    </div>
  );
}

function Answers({ load }: { readonly load: Load | undefined }) {
  const figures = [
    ['answered', load ? `${rate(load.placedPerSecond)}/s` : '–'],
    ['waiting', load ? count(load.waiting) : '–'],
    ['p50', load?.p50Ms == null ? '–' : milliseconds(load.p50Ms)],
    ['p99', load?.p99Ms == null ? '–' : milliseconds(load.p99Ms)],
  ];
  return (
    <dl class="answers" aria-label="What customers experience">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd data-answers={name}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
