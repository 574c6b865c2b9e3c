// <state>
/** State of a spare part. */
export type SparePartState =
  // <settle>
  | 'PENDING'
  // </settle>
  | 'STORED'
  // <each-change>
  | 'RETIRED'
  // </each-change>
  | never;
// <change>

/** The states from which a spare part may change to a state. */
const allowedBefore: Readonly<Record<SparePartState, readonly SparePartState[]>> = {
  // <settle>
  PENDING: [],
  // </settle>
  STORED: [
    // <settle>
    'PENDING',
    // </settle>
  ],
  // <each-change>
  RETIRED: ['STORED'],
  // </each-change>
};

/** Returns whether a spare part may change from one state to another. */
export function mayChange(from: SparePartState, to: SparePartState): boolean {
  return allowedBefore[to].includes(from);
}
// </change>
// </state>
