import type { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import type { Embedded } from '@acme/postgres/embedded';
import type { ServicesAccess } from './services-access.ts';

/** A service that `npm start` runs. Each restart gives it a new process. */
export interface RunningService {
  readonly name: string;
  /** gRPC target: `127.0.0.1:50051`. */
  readonly target: string;
  readonly logFile: string;
  /** The present process, or the last one if it has exited. */
  readonly process: ChildProcess;
  /** `stopping`: a restart, or the end of `npm start`, has asked the process to exit. */
  readonly state: 'starting' | 'serving' | 'stopping' | 'exited';
  /** Drains the process. Its end is an `exited` event, as a crash is. */
  stop(): Promise<void>;
}

/** The PostgreSQL that `npm start` runs. */
export type RunningDatabase = Pick<Embedded, 'port' | 'logFile' | 'isRunning' | 'kill' | 'start'>;

/** Events after the start of all services, with their arguments. */
export interface ServicesEvents {
  /** A restarted service is SERVING. */
  serving: [service: RunningService];
  /** A restarted service has not become SERVING. */
  failed: [service: RunningService, error: unknown];
  /** The process of a service that was SERVING has exited without being asked to by a restart. */
  exited: [service: RunningService];
  databaseExited: [database: RunningDatabase];
  /** PostgreSQL has been started again. */
  databaseServing: [database: RunningDatabase];
}

/** The services that `npm start` runs. */
export interface RunningServices extends ServicesAccess {
  /** Each after those that it calls. */
  readonly services: readonly RunningService[];
  /** Undefined if no service has a database. */
  readonly database: RunningDatabase | undefined;
  readonly events: EventEmitter<ServicesEvents>;
  /** Address of each service for browsers: `127.0.0.1:8051`. A service without a web port is absent. */
  readonly webTargets: Readonly<Record<string, string>>;
  /** Returns the URL of a service's database. */
  databaseUrl(service: string): string;
  /**
   * Drains the service's process if it runs, and starts another one on the same address. Restarts of one service run one
   * after the other. A later one abandons a start that has not finished, and both resolve with the later one.
   *
   * @throws Error with the stderr of the process, when it exits or is not SERVING in time.
   */
  restart(service: string): Promise<void>;
  /** Drains the services, callers first, and then stops the database. */
  close(): Promise<void>;
}
