export { type Embedded, startEmbedded } from '../embedded/embedded.ts';
