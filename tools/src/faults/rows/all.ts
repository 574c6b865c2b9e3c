import type { Row } from '../row.ts';
import { crashPoints } from './crash-points.ts';

/** Every row of the table, in its order. */
export const allRows: readonly Row[] = [...crashPoints];
