import { type experimental, status } from '@grpc/grpc-js';
import { type CallStatus, ObservedCall, type SubchannelObserver } from './observed-call.ts';

/** A connection of grpc-js. `createCall` is not in its documented interface. */
export type RealSubchannel = ReturnType<experimental.SubchannelInterface['getRealSubchannel']>;

type CreateCall = RealSubchannel['createCall'];

/**
 * Returns a view of a connection whose calls are observed. No other place of grpc-js shows on which connection a call was
 * made, and what the server sent for it. `counted-subchannel.test.ts` fails when an upgrade changes this.
 */
export function observeSubchannel(real: RealSubchannel, observer: SubchannelObserver): RealSubchannel {
  const createCall: CreateCall = (metadata, host, method, listener, callId) => {
    const observed = new ObservedCall(listener, observer);
    const call = real.createCall(metadata, host, method, observed, callId);
    observed.attach(call);
    observer.onCall();
    return call;
  };
  return Object.create(real, { createCall: { value: createCall } });
}

/** Returns whether the client has ended the stream by a reset: its deadline expired or its caller cancelled it. */
export function isReset({ code, rstCode, metadata }: CallStatus): boolean {
  // Nearly every status from a server comes with some metadata.
  return code !== status.OK && rstCode === undefined && Object.keys(metadata.getMap()).length === 0;
}
