import { type SparePartSchema, SparePart_State } from '@acme/gen/depot/v1/spare_part_pb';
import type { MessageFields } from '@acme/rpc/contract';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { SparePart } from './spare-part.ts';
import { etagOf } from './spare-part-change.ts';
import type { SparePartState } from './spare-part-state.ts';
// <state>

const stateToProto: Readonly<Record<SparePartState, SparePart_State>> = {
  // <settle>
  PENDING: SparePart_State.PENDING,
  // </settle>
  STORED: SparePart_State.STORED,
  // <each-change>
  RETIRED: SparePart_State.RETIRED,
  // </each-change>
};
// </state>

export function toProto(sparePart: SparePart): MessageFields<typeof SparePartSchema> {
  const { id, ownerId, title } = sparePart;
  return {
    id,
    ownerId,
    title,
    // <state>
    state: stateToProto[sparePart.state],
    etag: etagOf(sparePart),
    // </state>
    createTime: timestampFromDate(sparePart.createTime),
    // <state>
    updateTime: timestampFromDate(sparePart.updateTime),
    // </state>
  };
}
