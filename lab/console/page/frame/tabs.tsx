import { route, type Tab, tabs } from '../data/router.ts';

const keys: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };

/** @see https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ */
export function Tabs() {
  const current = route.value.tab;
  const move = (event: KeyboardEvent) => {
    const step = keys[event.key];
    if (step === undefined) return;
    const next = tabs.at((tabs.indexOf(current) + step) % tabs.length) ?? current;
    location.hash = `#/${next}`;
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views" onKeyDown={move}>
      {tabs.map((tab) => (
        <TabLink key={tab} tab={tab} isCurrent={tab === current} />
      ))}
    </div>
  );
}

function TabLink({ tab, isCurrent }: { readonly tab: Tab; readonly isCurrent: boolean }) {
  return (
    <a
      id={`tab-${tab}`}
      role="tab"
      href={`#/${tab}`}
      aria-selected={isCurrent}
      aria-controls="panel"
      tabIndex={isCurrent ? 0 : -1}
    >
      {tab}
    </a>
  );
}
