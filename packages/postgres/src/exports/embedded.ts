// A PostgreSQL server for development and tests.
export { type Embedded, startEmbedded } from '../embedded/embedded.ts';
