import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** An order as a shop wrote it down. */
export interface RetailOrder {
  readonly invoice: string;
  readonly customer: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}

export interface RetailFile {
  readonly orders: readonly RetailOrder[];
  /** Of the content: the same file gives the same request ids. */
  readonly sha256: string;
}

/**
 * Reads an NDJSON file of orders, `{invoice, customer, lines}` a line, plain or gzipped.
 *
 * @throws Error that names the line that is not an order.
 */
export async function readRetailFile(path: string): Promise<RetailFile> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`cannot read ${path} (${cause.code})`, { cause });
  });
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = (gzipped ? await promisify(gunzip)(bytes) : bytes).toString('utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const orders = lines.map((line, index) => parseOrder(line, `${path}:${index + 1}`));
  if (orders.length === 0) throw new Error(`${path} holds no orders`);
  return { orders, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function parseOrder(line: string, where: string): RetailOrder {
  try {
    const order: RetailOrder = JSON.parse(line);
    if (isOrder(order)) return order;
  } catch {
    // Told below, as any other line that is no order.
  }
  throw new Error(`${where} is no order: {"invoice", "customer", "lines": [{"sku", "quantity"}]} is wanted`);
}

function isOrder({ invoice, customer, lines }: RetailOrder): boolean {
  const isLine = (line: RetailOrder['lines'][number]) =>
    typeof line?.sku === 'string' && Number.isInteger(line.quantity) && line.quantity > 0;
  return (
    typeof invoice === 'string' && typeof customer === 'string' && Array.isArray(lines) && lines.every(isLine)
  );
}

/** Units by SKU over these orders. */
export function unitsBySku(orders: Iterable<Pick<RetailOrder, 'lines'>>): Map<string, number> {
  const units = new Map<string, number>();
  for (const { lines } of orders)
    for (const { sku, quantity } of lines) units.set(sku, (units.get(sku) ?? 0) + quantity);
  return units;
}

/** The same UUID for the same words, every time (RFC 9562, version 8). */
export function uuidOf(...words: string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(words)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
