// Batches: items that arrive during one batch are the next.
export { type BatcherOptions, createBatcher } from '../batch/batcher.ts';
