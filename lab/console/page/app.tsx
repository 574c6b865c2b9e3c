import { useEffect } from 'preact/hooks';
import { route } from './data/router.ts';
import { TopBar } from './frame/top-bar.tsx';
import { OrderPage } from './order/order-page.tsx';
import { Overview } from './overview/overview.tsx';
import { SignalsPage } from './signals/signals-page.tsx';
import { TracePage } from './traces/trace-page.tsx';
import { TracesPage } from './traces/traces-page.tsx';

export function App() {
  const { tab, order, trace } = route.value;
  const title = order ? 'Order' : trace ? 'Trace' : `${tab.charAt(0).toUpperCase()}${tab.slice(1)}`;
  useEffect(() => {
    document.title = `${title} · Saturday`;
    scrollTo(0, 0);
  }, [title, order, trace]);
  return (
    <>
      <TopBar />
      <main>
        <div id="panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
          <Page />
        </div>
      </main>
    </>
  );
}

function Page() {
  const { tab, order, trace } = route.value;
  if (order) return <OrderPage key={order} id={order} />;
  if (trace) return <TracePage key={trace} id={trace} />;
  if (tab === 'signals') return <SignalsPage />;
  if (tab === 'traces') return <TracesPage />;
  return <Overview />;
}
