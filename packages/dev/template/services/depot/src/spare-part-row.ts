import type { SparePart } from './spare-part.ts';

export interface SparePartRow {
  id: string;
  owner_id: string;
  title: string;
  // <state>
  state: SparePart['state'];
  version: string;
  // </state>
  create_time: Date;
  // <state>
  update_time: Date;
  // </state>
}

const columnNames: Readonly<Record<keyof SparePartRow, true>> = {
  id: true,
  owner_id: true,
  title: true,
  // <state>
  state: true,
  version: true,
  // </state>
  create_time: true,
  // <state>
  update_time: true,
  // </state>
};

/** The columns that `fromRow` reads. */
export const columns = Object.keys(columnNames)
  .map((column) => `spare_parts.${column}`)
  .join(', ');

export function fromRow(row: SparePartRow): SparePart {
  return {
    id: row.id,
    ownerId: row.owner_id,
    title: row.title,
    // <state>
    state: row.state,
    version: BigInt(row.version),
    // </state>
    createTime: row.create_time,
    // <state>
    updateTime: row.update_time,
    // </state>
  };
}
