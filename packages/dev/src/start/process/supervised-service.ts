import type { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import type { RunningService, ServicesEvents } from '../../repository/running-services.ts';
import { type ServiceProcessOptions, startServiceProcess, stopProcess } from './service-process.ts';

/** A service whose process is started again on request, on the same address. */
export interface SupervisedService extends RunningService {
  restart(): Promise<void>;
  /** Drains the process. No other one is started after it. */
  close(): Promise<void>;
}

/**
 * Starts a service, and resolves when it is SERVING. Events are emitted after that.
 *
 * @throws Error as `startServiceProcess`.
 */
export async function startSupervisedService(
  options: ServiceProcessOptions,
  events: EventEmitter<ServicesEvents>,
): Promise<SupervisedService> {
  let child: ChildProcess;
  let state: RunningService['state'] = 'exited';
  let isClosed = false;
  let attempt: Promise<unknown> = Promise.resolve();
  /** A restart that has not started its process yet. */
  let next: Promise<void> | undefined;

  const onSpawn = (spawned: ChildProcess) => {
    child = spawned;
    state = 'starting';
    child.once('exit', () => {
      const wasServing = state === 'serving';
      state = 'exited';
      if (wasServing) events.emit('exited', service);
    });
  };
  const start = async () => {
    if (isClosed) throw new Error(`${options.name} is not started: npm start stops`);
    await startServiceProcess({ ...options, onSpawn });
    // The process may have exited since.
    if (state === 'starting') state = 'serving';
  };
  const stop = async () => {
    if (state === 'exited') return;
    state = 'stopping';
    await stopProcess(child);
  };
  const startAgain = async () => {
    try {
      await start();
    } catch (error) {
      if (!next && !isClosed) events.emit('failed', service, error);
      throw error;
    }
    if (state === 'serving') events.emit('serving', service);
  };
  const restart = () => {
    if (next) return next;
    // The files that a starting process has read may have changed since.
    const abandoned = state === 'starting' ? stop() : undefined;
    const earlier = attempt;
    const restarted = (async () => {
      await abandoned;
      await earlier;
      await stop();
      next = undefined;
      await startAgain();
    })();
    attempt = restarted.catch(() => {});
    next = restarted.catch((error) => next ?? Promise.reject(error));
    return next;
  };
  const service: SupervisedService = {
    name: options.name,
    target: options.listenAddress,
    logFile: options.logFile,
    get process() {
      return child;
    },
    get state() {
      return state;
    },
    stop: () => stopProcess(child),
    restart,
    close: async () => {
      isClosed = true;
      await stop();
    },
  };
  await start();
  return service;
}
