import type { SparePartState } from './spare-part-state.ts';

/** A spare part. */
export interface SparePart {
  /** UUIDv7, so ids sort by the time of creation. */
  readonly id: string;
  readonly ownerId: string;
  readonly title: string;
  // <state>
  readonly state: SparePartState;
  /** Number of changes, from 1. */
  readonly version: bigint;
  // </state>
  readonly createTime: Date;
  // <state>
  readonly updateTime: Date;
  // </state>
}

/** Fields that the caller sets. The server sets the others. */
export type SparePartContent = Pick<SparePart, 'title'>;

/** Every error of the domain, with the data for its status. */
export type SparePartProblem =
  // <get|change>
  | { readonly kind: 'SPARE_PART_NOT_FOUND'; readonly id: string }
  // </get|change>
  // <change>
  | {
      readonly kind: 'STATE_NOT_ALLOWED';
      readonly id: string;
      readonly from: SparePartState;
      readonly to: SparePartState;
    }
  | { readonly kind: 'ETAG_MISMATCH'; readonly id: string }
  // </change>
  | { readonly kind: 'REQUEST_ID_REUSED'; readonly requestId: string; readonly sparePartId: string };

export class SparePartError extends Error {
  override readonly name = 'SparePartError';
  readonly problem: SparePartProblem;

  constructor(problem: SparePartProblem) {
    super(problem.kind);
    this.problem = problem;
  }
}
