import { OrdersPanel } from './orders-panel.tsx';
import { StockPanel } from './stock-panel.tsx';
import { TroublePanel } from './trouble-panel.tsx';

export function Overview() {
  return (
    <div class="overview">
      <OrdersPanel />
      <StockPanel />
      <TroublePanel />
    </div>
  );
}
