import type { SparePart } from './spare-part.ts';

/** The columns that `fromRow` reads. */
export const columns = [
  'id',
  'owner_id',
  'title',
  // <state>
  'state',
  'version',
  // </state>
  'create_time',
  // <state>
  'update_time',
  // </state>
]
  .map((column) => `spare_parts.${column}`)
  .join(', ');

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
