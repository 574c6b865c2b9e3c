import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { CallAbort } from './call-abort.ts';

const gone = new RpcError(Code.CANCELLED, 'gone');
const late = new RpcError(Code.DEADLINE_EXCEEDED, 'late');

test('the first reason stands, for listeners and for the signal', () => {
  const call = new CallAbort();
  const heard: unknown[] = [];
  call.onAbort((reason) => heard.push(reason));
  const signal = call.signal();
  call.abort(gone);
  call.abort(late);
  expect(heard).toEqual([gone]);
  expect(signal.reason).toBe(gone);
});

test('a listener that is added after the abort is called at once', () => {
  const call = new CallAbort();
  call.abort(gone);
  const heard: unknown[] = [];
  call.onAbort((reason) => heard.push(reason));
  expect(heard).toEqual([gone]);
  expect(call.signal().reason).toBe(gone);
});

test('an abort after the end of the call is ignored', () => {
  const call = new CallAbort();
  const heard: unknown[] = [];
  call.onAbort((reason) => heard.push(reason));
  const signal = call.signal();
  call.end();
  call.abort(gone);
  expect(heard).toEqual([]);
  expect(signal.aborted).toBe(false);
});
