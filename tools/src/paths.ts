import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where `npm start` keeps its database, keys and logs. */
export const defaultDataFolder = join(root, '.data');
