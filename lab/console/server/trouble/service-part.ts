import { once } from 'node:events';
import type { RunningService } from '@acme/dev/services';
import { checkHealth } from '@acme/rpc/client';
import type { BreakerState, PartState } from '../../api.ts';
import type { Breakable, Breaking } from './breakable.ts';

export interface ServicePartOptions {
  readonly service: RunningService;
  /** Starts the service's process, after the present one has drained. */
  readonly restart: () => Promise<void>;
  readonly breakers: () => Readonly<Record<string, BreakerState>>;
}

/** On a busy machine an answer takes its time. */
const healthTimeoutMs = 3000;

/** Windows cannot pause a process. */
const canPause = process.platform !== 'win32';

/** A service's process. */
export function servicePart({ service, restart, breakers }: ServicePartOptions): Breakable {
  const { name, target } = service;
  let paused: RunningService['process'] | undefined;
  const isPaused = () => paused === service.process && service.state !== 'exited';
  const resume = () => {
    paused?.kill('SIGCONT');
    paused = undefined;
  };
  const observe = async (): Promise<PartState> => {
    if (service.state === 'exited') return 'down';
    if (isPaused()) return 'paused';
    if (service.state === 'starting') return 'starting';
    return (await checkHealth(target, { timeoutMs: healthTimeoutMs })) ? 'up' : 'not ready';
  };
  return {
    id: `service:${name}`,
    kind: 'service',
    name,
    observe,
    possible: (state) => {
      if (state === 'down') return ['restart'];
      if (state === 'starting') return ['kill'];
      if (state === 'paused') return ['kill', 'restart'];
      return ['kill', 'stop', ...(canPause ? (['pause'] as const) : []), 'restart'];
    },
    act: async (action: Breaking) => {
      if (action === 'restart') {
        resume();
        await restart();
      } else if (action === 'pause') {
        paused = service.process;
        paused.kill('SIGSTOP');
      } else if (action === 'stop') {
        // Not by a signal of its own: a second one, of a restart or of Ctrl-C, would end the calls in flight.
        const stopped = service.stop();
        resume();
        await stopped;
      } else if (action === 'kill') {
        const { exitCode, signalCode } = service.process;
        if (exitCode !== null || signalCode !== null) return;
        const exited = once(service.process, 'exit');
        service.process.kill('SIGKILL');
        resume();
        await exited;
      }
    },
    undo: async () => {
      resume();
      if (service.state === 'exited') await restart();
    },
    release: resume,
    breakers,
  };
}
