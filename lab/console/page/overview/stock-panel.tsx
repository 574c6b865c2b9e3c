import { live } from '../data/live.ts';
import { busiest, stockState } from '../data/stock.ts';
import type { KnownStock } from '../data/stock-rows.ts';
import { count } from '../widgets/format.ts';
import { Notice } from '../widgets/notice.tsx';
import { WatchNotice } from '../widgets/watch-notice.tsx';

export function StockPanel() {
  const items = busiest.value;
  const load = live.value?.load;
  const hotSku = load?.hotItem ? load.hotSku : undefined;
  return (
    <section class="panel stock" aria-labelledby="stock-title">
      <h2 id="stock-title">
        Stock
        <span class="aside">
          busiest items: units <span class="key-reserved">reserved</span>{' '}
          <span class="key-available">available</span>
        </span>
      </h2>
      <WatchNotice service="inventory" state={stockState.value} />
      {items.length === 0 && stockState.value === 'live' && <Notice>The catalogue is empty.</Notice>}
      {items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Item</th>
              <th scope="col" class="number">
                Reserved
              </th>
              <th scope="col" class="number">
                Available
              </th>
              <th scope="col" class="number">
                On hand
              </th>
            </tr>
          </thead>
          {items.map((stock) => (
            <Item key={stock.sku} stock={stock} isHot={stock.sku === hotSku} />
          ))}
        </table>
      )}
    </section>
  );
}

function Item({ stock, isHot }: { readonly stock: KnownStock; readonly isHot: boolean }) {
  const { sku, title, onHand, reserved, available } = stock;
  const share = onHand === 0 ? 0 : reserved / onHand;
  return (
    <tbody data-sku={sku} class={available === 0 ? 'sold-out' : ''}>
      <tr>
        <th scope="row">
          <span class="sku">{sku}</span> <span class="item-title">{title}</span>
          {isHot && <span class="tag">hot</span>}
          {available === 0 && <span class="tag">sold out</span>}
        </th>
        <td class="number">{count(reserved)}</td>
        <td class="number">{count(available)}</td>
        <td class="number">{count(onHand)}</td>
      </tr>
      <tr>
        <td colSpan={4}>
          <div class="bar" aria-hidden="true">
            <div class="reserved" style={{ transform: `scaleX(${share})` }} />
          </div>
        </td>
      </tr>
    </tbody>
  );
}
