import type { Row } from '../row.ts';
import { crashPoints } from './crash-points.ts';
import { overtaking } from './overtaking.ts';
import { unfinished } from './unfinished.ts';

/** Every row of the table, in its order. */
export const allRows: readonly Row[] = [...crashPoints, ...overtaking, ...unfinished];
