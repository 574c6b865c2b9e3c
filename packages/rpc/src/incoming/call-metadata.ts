import type { Metadata } from '@grpc/grpc-js';
import { ResponseMetadata } from '../grpc-js/metadata/response-metadata.ts';

/** Maximum size of a handler's headers. Java clients and many proxies reject a header list of more than 8 KiB. */
const maxHeadersBytes = 7 * 1024;
/** Maximum size of a handler's trailers. They share 8 KiB with the status, whose text takes up to 2 KiB. */
const maxTrailersBytes = 4 * 1024;

/** Sends the headers of a response. */
interface HeaderSender {
  sendMetadata(headers: Metadata): void;
}

/** The headers and trailers that a handler sets. Created on first use: most calls have none. */
export class CallMetadata {
  readonly headers = new ResponseMetadata(maxHeadersBytes);
  readonly trailers = new ResponseMetadata(maxTrailersBytes);
  private readonly sender: HeaderSender;
  private areHeadersSent: boolean;

  /** @param areHeadersSent Whether the protocol has sent headers of its own. */
  constructor(sender: HeaderSender, areHeadersSent: boolean) {
    this.sender = sender;
    this.areHeadersSent = areHeadersSent;
    if (areHeadersSent) this.headers.markSent();
  }

  /** Sends the headers, even if they are empty. Does nothing if they have been sent. */
  readonly sendHeaders = (): void => {
    if (this.areHeadersSent) return;
    this.areHeadersSent = true;
    this.headers.markSent();
    this.sender.sendMetadata(this.headers);
  };

  /** Sends the headers if there are any: a failed call without them can be retried by its client. */
  flushHeaders(): void {
    if (this.headers.sizeBytes() > 0) this.sendHeaders();
  }

  /** Returns the trailers, which can no longer change; undefined if there are none. */
  takeTrailers(): ResponseMetadata | undefined {
    this.trailers.markSent();
    return this.trailers.sizeBytes() > 0 ? this.trailers : undefined;
  }
}
