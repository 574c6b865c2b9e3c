import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { KnownOrder, OrderState } from '../data/known-orders.ts';
import { orders, ordersVersion } from '../data/orders.ts';
import { orderHref } from '../data/router.ts';
import { shortId } from '../widgets/format.ts';
import { stateShapes } from '../widgets/state-mark.tsx';
import { theme } from '../widgets/theme.tsx';

/** Least side of a cell with its gap, in root em. */
const minCellRem = 0.625;
const shapeUnits = 10;
/** Cells ahead of the newest order that are cleared, so that the eye finds where the next one is drawn. */
const gap = 8;

/**
 * The last orders, a cell each. An order keeps its cell, and its state changes in place. New orders are written from left to right and
 * from top to bottom, over the oldest.
 */
export function OrderField() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const field = useRef<Field | null>(null);
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (canvas.current) field.current = drawField(canvas.current);
    });
    if (canvas.current) observer.observe(canvas.current);
    return () => observer.disconnect();
  }, []);
  useSignalEffect(() => {
    ordersVersion.value;
    theme.value;
    if (canvas.current) field.current = drawField(canvas.current);
  });
  const orderAt = ({ offsetX, offsetY }: MouseEvent) => {
    const { columns, cellPx, orders: shown } = field.current ?? empty;
    return shown.get(Math.floor(offsetY / cellPx) * columns + Math.floor(offsetX / cellPx));
  };
  return (
    <canvas
      ref={canvas}
      class="field"
      role="img"
      aria-label="The last orders, a cell each, by state"
      onClick={(event) => {
        const order = orderAt(event);
        if (order) location.hash = orderHref(order.id);
      }}
      onMouseMove={(event) => {
        const order = orderAt(event);
        event.currentTarget.title = order ? `${shortId(order.id)} ${order.state}` : '';
      }}
    />
  );
}

interface Field {
  readonly columns: number;
  readonly cellPx: number;
  readonly orders: ReadonlyMap<number, KnownOrder>;
}

const empty: Field = { columns: 1, cellPx: 1, orders: new Map() };

function drawField(canvas: HTMLCanvasElement): Field | null {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext('2d');
  if (width === 0 || !context) return null;
  const scale = devicePixelRatio;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const remPx = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const columns = Math.floor(width / (minCellRem * remPx));
  const cellPx = width / columns;
  const cells = columns * Math.floor(height / cellPx);
  const shown = cellsOf(cells);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  for (const state of Object.keys(stateShapes) as OrderState[]) {
    const { path, isFilled } = stateShapes[state];
    const shape = new Path2D(path);
    const colour = style.getPropertyValue(`--field-${state}`);
    context.fillStyle = colour;
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    for (const [cell, order] of shown) {
      if (order.state !== state) continue;
      const zoom = (cellPx / shapeUnits) * scale;
      context.setTransform(
        zoom,
        0,
        0,
        zoom,
        (cell % columns) * cellPx * scale,
        Math.floor(cell / columns) * cellPx * scale,
      );
      if (isFilled) context.fill(shape);
      else context.stroke(shape);
    }
  }
  return { columns, cellPx, orders: shown };
}

/** Returns the orders by their cells. */
function cellsOf(cells: number): Map<number, KnownOrder> {
  const newest = orders.newest(Math.max(1, cells - gap));
  return new Map(newest.map((order) => [order.sequence % cells, order]));
}
