import type { Attack } from '../attack/attack.ts';
import { connections } from './connections.ts';
import { fairness } from './fairness.ts';
import { headerLists } from './header-lists.ts';
import { health } from './health.ts';
import { hiddenAuthorization } from './hidden-authorization.ts';
import { inflating } from './inflating.ts';
import { largeRequests } from './large-requests.ts';
import { logging } from './logging.ts';
import { mutatedFrames } from './mutated-frames.ts';
import { names } from './names.ts';
import { outlivedToken } from './outlived-token.ts';
import { ownCancels } from './own-cancels.ts';
import { pages } from './pages.ts';
import { unfinishedRequests } from './unfinished.ts';
import { watches } from './watches.ts';
import { web } from './web.ts';

/** Every attack of the table, in its order. */
export const allAttacks: readonly Attack[] = [
  ...inflating,
  ...headerLists,
  ...unfinishedRequests,
  ...health,
  ...logging,
  ...largeRequests,
  ...pages,
  ...watches,
  ...fairness,
  ...outlivedToken,
  ...hiddenAuthorization,
  ...ownCancels,
  ...connections,
  ...names,
  ...mutatedFrames,
  ...web,
];
