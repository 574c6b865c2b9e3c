import { isLocked } from '../data/console-api.ts';
import { isConnected, phase } from '../data/live.ts';
import { Notice } from '../widgets/notice.tsx';
import { ThemeSwitch } from '../widgets/theme.tsx';
import { BooksBar, Violations } from './books-bar.tsx';
import { PartsBar } from './parts-bar.tsx';
import { Tabs } from './tabs.tsx';

/** The bar that is always on screen: the four numbers of the books, and the state of each part. */
export function TopBar() {
  return (
    <header>
      <div class="title-bar">
        <h1>
          <a href="#/">Saturday</a>
        </h1>
        <Tabs />
        <ThemeSwitch />
      </div>
      <div class="status-bar">
        <BooksBar />
        <PartsBar />
      </div>
      <Violations />
      <Connection />
    </header>
  );
}

function Connection() {
  if (isLocked.value)
    return (
      <Notice>
        This browser does not have the console's key. Open the URL that <code>npm start</code> printed, or{' '}
        <code>docker compose logs console</code>: it ends in <code>#key=…</code>.
      </Notice>
    );
  if (!isConnected.value)
    return (
      <Notice>
        The console does not answer, so nothing here is current. <code>npm start</code> starts it; the page
        reconnects by itself.
      </Notice>
    );
  if (phase.value === 'starting') return <Notice>The services start.</Notice>;
  if (phase.value === 'stopping') return <Notice>The services stop.</Notice>;
  return null;
}
