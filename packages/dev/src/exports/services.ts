export type { ConsoleEntry, ConsoleOptions, ServedConsole } from '../repository/console-entry.ts';
export type {
  RunningDatabase,
  RunningService,
  RunningServices,
  ServicesEvents,
} from '../repository/running-services.ts';
export type { ServiceEntry } from '../repository/service-entry.ts';
