import { effect, signal } from '@preact/signals';

type Theme = 'light' | 'dark';

const key = 'theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const chosen = signal(readChoice());

/** The theme in use: the reader's choice, or that of the system. */
export const theme = signal<Theme>('light');

system.addEventListener('change', follow);
effect(follow);

function follow(): void {
  theme.value = chosen.value ?? (system.matches ? 'dark' : 'light');
  document.documentElement.dataset.theme = theme.value;
}

function readChoice(): Theme | undefined {
  const value = localStorage.getItem(key);
  return value === 'light' || value === 'dark' ? value : undefined;
}

function choose(next: Theme): void {
  localStorage.setItem(key, next);
  chosen.value = next;
}

export function ThemeSwitch() {
  const isDark = theme.value === 'dark';
  return (
    <button
      type="button"
      class="quiet icon"
      aria-pressed={isDark}
      aria-label="Dark theme"
      title={isDark ? 'Light theme' : 'Dark theme'}
      onClick={() => choose(isDark ? 'light' : 'dark')}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="5.25" fill="none" stroke="currentColor" stroke-width="1.5" />
        <path d="M8 2.75A5.25 5.25 0 0 1 8 13.25Z" fill="currentColor" />
      </svg>
    </button>
  );
}
