import type { OutgoingHttpHeaders } from 'node:http2';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';

/** grpc-js's inner server call. `wire-status.test.ts` fails when an upgrade changes these parts. */
interface SendingCall {
  /** Calls `clone` and then `toHttp2Headers` of the status's metadata. */
  sendStatus(status: StatusObject): void;
}

/**
 * Makes a server call send its status in the form that gRPC's HTTP/2 protocol wants: OK without a message, where grpc-js
 * sends `grpc-message: OK`, and binary values without the padding of base64.
 */
export function sendWireStatus(grpcCall: object): void {
  const { call } = grpcCall as { call: SendingCall };
  call.sendStatus = sendStatusAsWired;
}

/** Replaces a call's `sendStatus`. Shared by all calls: closures per call cost as much as a span. */
function sendStatusAsWired(this: SendingCall, { code, details, metadata }: StatusObject): void {
  const isOk = code === status.OK;
  (Object.getPrototypeOf(this) as SendingCall).sendStatus.call(this, {
    code,
    details: isOk ? '' : details,
    // grpc-js's own statuses have null in place of metadata.
    metadata: isOk && !metadata ? plainOk : new WireMetadata(metadata ?? noMetadata, isOk),
  });
}

/** Metadata that grpc-js converts to headers but does not change. */
class WireMetadata extends Metadata {
  private readonly source: Metadata;
  private readonly isOk: boolean;

  constructor(source: Metadata, isOk: boolean) {
    super();
    this.source = source;
    this.isOk = isOk;
  }

  override clone(): Metadata {
    return this;
  }

  override toHttp2Headers(): OutgoingHttpHeaders {
    const headers = unpadded(this.source.toHttp2Headers());
    // Node omits a header without a value.
    return this.isOk ? { ...headers, 'grpc-message': undefined } : headers;
  }
}

const noMetadata = new Metadata();
const plainOk = new WireMetadata(noMetadata, true);

/** Removes the padding from binary values, in place. */
function unpadded(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  for (const key in headers) {
    if (!key.endsWith('-bin')) continue;
    const value = headers[key];
    headers[key] = Array.isArray(value) ? value.map(withoutPadding) : withoutPadding(String(value));
  }
  return headers;
}

function withoutPadding(base64: string): string {
  const end = base64.indexOf('=');
  return end < 0 ? base64 : base64.slice(0, end);
}
