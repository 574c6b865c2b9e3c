// Leased work: rows with work to do, which the replicas of a service share.
export { createLeases, type Leased, type Leases, type WorkTable } from '../leased-work/leases.ts';
export { startWorker, type Worker, type WorkerOptions } from '../leased-work/worker.ts';
