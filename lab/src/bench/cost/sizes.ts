import type { TableSize } from './metered-database.ts';
import { type MeteredPair, type ServiceName, serviceNames } from './metered-pair.ts';

export interface ServiceTable extends TableSize {
  readonly service: ServiceName;
}

/** Reads the sizes of all tables of both services. */
export async function readSizes({ services }: MeteredPair): Promise<ServiceTable[]> {
  const sizes = await Promise.all(
    serviceNames.map(async (service) =>
      (await services[service].database.readSizes()).map((size) => ({ service, ...size })),
    ),
  );
  return sizes.flat();
}

/** Returns what each table has grown by per order. Omits tables that have not grown. */
export function growthPerOrder(
  before: readonly ServiceTable[],
  after: readonly ServiceTable[],
  orderCount: number,
): ServiceTable[] {
  return after.flatMap((table) => {
    const old = before.find((each) => each.service === table.service && each.table === table.table);
    const perOrder = (figure: 'rows' | 'tableBytes' | 'indexBytes') =>
      (table[figure] - (old?.[figure] ?? 0)) / orderCount;
    const growth = {
      rows: perOrder('rows'),
      tableBytes: perOrder('tableBytes'),
      indexBytes: perOrder('indexBytes'),
    };
    return growth.rows > 0 ? [{ ...table, ...growth }] : [];
  });
}
