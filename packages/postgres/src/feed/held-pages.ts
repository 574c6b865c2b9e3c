/** Something that was read for a watch. */
interface Held {
  readonly sizeBytes: number;
}

/** A page that is taken item by item. Disposing lets go what has not been taken. */
export interface HeldPage<Item> extends Disposable {
  take(): Item | undefined;
  /** Whether the rest was dropped, and must be read again. */
  isDropped(): boolean;
}

/** Keeps a page for as long as there is room. */
export type HoldPage<Item> = (items: readonly Item[]) => HeldPage<Item>;

/**
 * Bounds the bytes of all pages that are being taken: when they are more than `maxBytes`, the rest of the page that has
 * been held longest is dropped.
 */
export function createHeldPages<Item extends Held>(maxBytes: number): HoldPage<Item> {
  /** In the order in which they were read. */
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
        leave();
      },
    };
    const leave = () => {
      if (!pages.delete(page)) return;
      totalBytes -= page.sizeBytes;
    };
    const take = () => {
      const item = items.shift();
      if (!item) return undefined;
      page.sizeBytes -= item.sizeBytes;
      totalBytes -= item.sizeBytes;
      if (items.length === 0) leave();
      return item;
    };
    pages.add(page);
    totalBytes += page.sizeBytes;
    for (const oldest of pages) if (totalBytes > maxBytes && oldest !== page) oldest.drop();
    return { take, isDropped: () => isDropped, [Symbol.dispose]: leave };
  };
}
