/** A page that a watch consumes item by item. Disposing it frees the items that were not taken. */
export interface BufferedPage<Item> extends Disposable {
  take(): Item | undefined;
  /** Returns whether the rest of the page was dropped, and must be read again. */
  isDropped(): boolean;
}

/** Buffers a page for as long as there is room. */
export type BufferPage<Item> = (items: readonly Item[]) => BufferedPage<Item>;

/**
 * Bounds the bytes of all pages that are being consumed. When they exceed `maxBytes`, the rest of the oldest page is
 * dropped.
 */
export function createPageBuffer<Item extends { readonly sizeBytes: number }>(
  maxBytes: number,
): BufferPage<Item> {
  /** Oldest first. */
  const pages = new Set<{ sizeBytes: number; drop(): void }>();
  let totalBytes = 0;

  return (read) => {
    let items = [...read];
    let isDropped = false;
    const page = {
      sizeBytes: items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      drop: () => {
        isDropped = items.length > 0;
        items = [];
        remove();
      },
    };
    const remove = () => {
      if (!pages.delete(page)) return;
      totalBytes -= page.sizeBytes;
    };
    const take = () => {
      const item = items.shift();
      if (!item) return undefined;
      page.sizeBytes -= item.sizeBytes;
      totalBytes -= item.sizeBytes;
      if (items.length === 0) remove();
      return item;
    };
    pages.add(page);
    totalBytes += page.sizeBytes;
    for (const oldest of pages) if (totalBytes > maxBytes && oldest !== page) oldest.drop();
    return { take, isDropped: () => isDropped, [Symbol.dispose]: remove };
  };
}
