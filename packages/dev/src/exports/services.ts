export type { ServiceEntry } from '../repository/service-entry.ts';
