// <watch>
import {
  type ChangeFeed,
  type ChangeFeedOptions,
  type FeedSource,
  openChangeFeed,
} from '@acme/postgres/feed';
import type { SparePart } from './spare-part.ts';
import { fromRow, type SparePartRow } from './spare-part-row.ts';

/** Feed of the changes of spare parts by owner. Each event is the spare part right after the change. */
export type SparePartFeed = ChangeFeed<SparePart>;

/** Events store the columns that change. A trigger inserts them. The others are joined from the spare part. */
const eventColumns: Readonly<Record<keyof SparePartRow, string>> = {
  id: 'spare_parts.id',
  owner_id: 'spare_parts.owner_id',
  title: 'spare_parts.title',
  // <state>
  state: 'event.state',
  version: 'event.version',
  // </state>
  create_time: 'spare_parts.create_time',
  // <state>
  update_time: 'event.event_time AS update_time',
  // </state>
};

const source: FeedSource<SparePartRow, SparePart> = {
  table: 'spare_part_events',
  keyColumn: 'owner_id',
  join: 'JOIN spare_parts ON spare_parts.id = event.spare_part_id',
  sizeBytes: '100 + octet_length(spare_parts.owner_id) + octet_length(spare_parts.title)',
  columns: Object.values(eventColumns).join(', '),
  // Text takes about twice its size in memory.
  fromRow: (row) => ({ key: row.owner_id, event: fromRow(row), sizeBytes: 2 * row.size_bytes }),
};

export function openSparePartFeed(
  options: Pick<ChangeFeedOptions<never, SparePart>, 'url' | 'directUrl' | 'onError'>,
): SparePartFeed {
  return openChangeFeed({ ...options, applicationName: 'depot', source });
}
// </watch>
