import type { Books } from '../../api.ts';
import { now } from '../data/clock.ts';
import { live, parts } from '../data/live.ts';
import { age, count } from '../widgets/format.ts';

/** `calm` is as it must be, `waiting` passes when the trouble ends, `violated` must never be. */
type Verdict = 'plain' | 'calm' | 'waiting' | 'violated';

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly verdict: Verdict;
  readonly caption: string;
}

/** The state of the invariants, in four numbers. */
export function BooksBar() {
  const books = live.value?.books;
  const isUnchecked = !books || books.checkedAtMs === null || books.cannotCheck !== null;
  return (
    <dl class={isUnchecked ? 'books unchecked' : 'books'} aria-label="Invariants">
      {figuresOf(books).map(({ name, value, verdict, caption }) => (
        <div key={name} class={`figure ${verdict}`} data-figure={name}>
          <dt>{name}</dt>
          <dd class="value">{books && books.checkedAtMs !== null ? count(value) : '–'}</dd>
          <dd class="caption" title={caption}>
            {caption}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function figuresOf(books: Books | undefined): readonly Figure[] {
  const { acknowledged = 0, lost = 0, oversold = 0, unsettled = 0 } = books ?? {};
  return [
    { name: 'Acknowledged', value: acknowledged, verdict: 'plain', caption: checkText(books) },
    never('Lost', lost, 'acknowledged orders'),
    never('Oversold', oversold, 'items'),
    { name: 'Unsettled', value: unsettled, verdict: verdictOn(unsettled), caption: 'orders in progress' },
  ];
}

/** A number that is 0 unless an invariant is violated. */
function never(name: string, value: number, unit: string): Figure {
  return value === 0
    ? { name, value, verdict: 'calm', caption: unit }
    : { name, value, verdict: 'violated', caption: `${unit}: violated` };
}

/** Orders are always in progress under load. While a part is broken, they wait for it. */
function verdictOn(unsettled: number): Verdict {
  if (unsettled === 0) return 'calm';
  return parts.value.every(({ state }) => state === 'up') ? 'plain' : 'waiting';
}

function checkText(books: Books | undefined): string {
  if (!books || (books.checkedAtMs === null && books.cannotCheck === null)) return 'not checked yet';
  const checked = books.checkedAtMs === null ? '' : `checked ${age(now.value - books.checkedAtMs)} ago`;
  return books.cannotCheck === null ? checked : `cannot check: ${books.cannotCheck}`;
}

/** The first violations, in words. Nothing while the invariants hold. */
export function Violations() {
  const { problems = [], wrong = 0 } = live.value?.books ?? {};
  if (problems.length === 0 && wrong === 0) return null;
  return (
    <section class="violations" role="alert">
      <h2>An invariant is violated</h2>
      {wrong > 0 && <p>Orders that contradict what was acknowledged to their customers: {count(wrong)}</p>}
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </section>
  );
}
