import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** An order from the records of a shop. */
export interface RetailOrder {
  readonly invoice: string;
  readonly customer: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}

export interface RetailFile {
  readonly orders: readonly RetailOrder[];
  /** Hash of the content, from which the request ids are derived. */
  readonly sha256: string;
}

/**
 * Reads an NDJSON file with one order, `{invoice, customer, lines}`, per line, plain or gzipped.
 *
 * @throws Error that names the first line that is not an order.
 */
export async function readRetailFile(path: string): Promise<RetailFile> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`cannot read ${path} (${cause.code})`, { cause });
  });
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  // Removes the byte order mark that editors on Windows write.
  const text = new TextDecoder().decode(gzipped ? await promisify(gunzip)(bytes) : bytes);
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
    // Reported below, like every line that is not an order.
  }
  throw new Error(`${where} is not an order: {"invoice", "customer", "lines": [{"sku", "quantity"}]}`);
}

function isOrder({ invoice, customer, lines }: RetailOrder): boolean {
  const isLine = (line: RetailOrder['lines'][number]) =>
    typeof line?.sku === 'string' && Number.isInteger(line.quantity) && line.quantity > 0;
  return (
    typeof invoice === 'string' && typeof customer === 'string' && Array.isArray(lines) && lines.every(isLine)
  );
}

/** Returns the total units of these orders, by SKU. */
export function unitsBySku(orders: Iterable<Pick<RetailOrder, 'lines'>>): Map<string, number> {
  const units = new Map<string, number>();
  for (const { lines } of orders)
    for (const { sku, quantity } of lines) units.set(sku, (units.get(sku) ?? 0) + quantity);
  return units;
}

/** Returns a UUID derived from these words (RFC 9562, version 8). */
export function uuidOf(...words: string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(words)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
