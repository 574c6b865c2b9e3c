import type { Part } from '../../api.ts';
import { isConnected, parts } from '../data/live.ts';
import { PartStateMark } from '../widgets/part-state.tsx';

/** Each part with its state. */
export function PartsBar() {
  return (
    <ul class={isConnected.value ? 'parts' : 'parts unchecked'} aria-label="Parts">
      {parts.value.map((part) => (
        <li key={part.id}>
          <span class="part-name">{part.name}</span>
          <PartStateMark state={part.state} />
          <Breakers part={part} />
        </li>
      ))}
    </ul>
  );
}

/** The circuit breakers of a service that are not closed. */
function Breakers({ part }: { readonly part: Part }) {
  const breakers = Object.entries(part.breakers ?? {});
  return breakers
    .filter(([, state]) => state !== 'closed')
    .map(([name, state]) => (
      <span key={name} class="breaker" title={`circuit breaker of ${name}`}>
        {breakers.length > 1 && name} breaker {state}
      </span>
    ));
}
