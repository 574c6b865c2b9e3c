import { signal } from '@preact/signals';
import { whileVisible } from './visibility.ts';

const tickMs = 500;

/** Unix time in ms, for ages and countdowns. */
export const now = signal(Date.now());

whileVisible((stopped) => {
  now.value = Date.now();
  const timer = setInterval(() => {
    now.value = Date.now();
  }, tickMs);
  stopped.addEventListener('abort', () => clearInterval(timer));
});
