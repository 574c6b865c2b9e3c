export { createBatcher } from '../batch/batcher.ts';
