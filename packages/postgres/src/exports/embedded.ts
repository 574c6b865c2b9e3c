// A PostgreSQL server for development and tests.
export { dataFolderError } from '../embedded/data-folder-error.ts';
export { type Embedded, startEmbedded } from '../embedded/embedded.ts';
