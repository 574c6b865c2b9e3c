import { type experimental, status } from '@grpc/grpc-js';

/** A connection of grpc-js. `createCall` is not in its documented interface. */
export type RealSubchannel = ReturnType<experimental.SubchannelInterface['getRealSubchannel']>;

type CreateCall = RealSubchannel['createCall'];
type CallStatus = Parameters<Parameters<CreateCall>[3]['onReceiveStatus']>[0];

/** How a call on a connection ended. */
export interface CallEnd {
  /** The server ended the stream without a status, which grpc-js reports as INTERNAL. */
  readonly isWithoutStatus: boolean;
  /** The client has ended the stream by a reset: its deadline expired or its caller cancelled it. */
  readonly isReset: boolean;
}

export interface SubchannelObserver {
  onCall(): void;
  /** Returns the status code to report for the call instead of grpc-js's own; undefined keeps it. */
  onCallEnded(end: CallEnd): status | undefined;
}

/**
 * Returns a view of a connection whose calls are observed. No other place of grpc-js shows on which connection a call was
 * made, and whether it ended without a status. `counted-subchannel.test.ts` fails when an upgrade changes this.
 */
export function observeSubchannel(real: RealSubchannel, observer: SubchannelObserver): RealSubchannel {
  const createCall: CreateCall = (metadata, host, method, listener, callId) => {
    const onReceiveStatus = (ended: CallStatus) => {
      const code = observer.onCallEnded(endOf(ended));
      listener.onReceiveStatus(code === undefined ? ended : { ...ended, code });
    };
    const { onReceiveMetadata, onReceiveMessage } = listener;
    const ownListener = { onReceiveMetadata, onReceiveMessage, onReceiveStatus };
    const call = real.createCall(metadata, host, method, ownListener, callId);
    observer.onCall();
    return call;
  };
  return Object.create(real, { createCall: { value: createCall } });
}

function endOf({ code, rstCode, metadata }: CallStatus): CallEnd {
  return {
    isWithoutStatus: code === status.INTERNAL && rstCode !== undefined,
    // Nearly every status from a server comes with some metadata.
    isReset: code !== status.OK && rstCode === undefined && Object.keys(metadata.getMap()).length === 0,
  };
}
