import { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { RunningService, RunningServices, ServicesEvents } from '../repository/running-services.ts';
import { reportEvents } from './report-events.ts';

/** Reports the events of the services back and front, of which front is in the given state. */
function reported(front: RunningService['state']) {
  const said: string[] = [];
  const events = new EventEmitter<ServicesEvents>();
  const service = (name: string, state: RunningService['state']): RunningService => ({
    ...{ name, state, target: '127.0.0.1:1', logFile: `${name}.log` },
    stop: async () => {},
    process: Object.assign(new ChildProcess(), { exitCode: 1 }),
  });
  const back = service('back', 'serving');
  const services = [back, service('front', front)];
  reportEvents({ services, events } as Partial<RunningServices> as RunningServices, {
    say: (text) => said.push(text),
    remedyOf: (name) => `restart ${name}`,
    onAllExited: () => said.push('all exited'),
  });
  said.length = 0;
  Object.assign(back, { state: 'exited' });
  return { said, events, back };
}

test('the end of the last service is an exit, or a restart that fails', () => {
  const exit = reported('exited');
  exit.events.emit('exited', exit.back);
  expect(exit.said).toEqual([' down back (exit code 1): its log is back.log; restart back', 'all exited']);
  const failure = reported('exited');
  failure.events.emit('failed', failure.back, new Error('back did not start: no'));
  expect(failure.said).toEqual([' down back did not start: no\nrestart back', 'all exited']);
});

test('a service that is left keeps npm start running', () => {
  const { said, events, back } = reported('serving');
  events.emit('exited', back);
  events.emit('failed', back, new Error('back did not start: no'));
  expect(said).not.toContain('all exited');
});
