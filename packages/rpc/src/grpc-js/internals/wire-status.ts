import type { OutgoingHttpHeaders } from 'node:http2';
import { Metadata, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';

type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/**
 * Returns a status in the form that gRPC's HTTP/2 protocol wants: OK without a message, where grpc-js sends
 * `grpc-message: OK`, and binary values without the padding of base64.
 *
 * @param trailers Sent with OK. An error has its own.
 */
export function toWireStatus({ code, details, metadata }: Status, trailers: Metadata | undefined): Status {
  if (code !== status.OK) return { code, details, metadata: new WireMetadata(metadata ?? noMetadata, false) };
  return { code, details: '', metadata: trailers ? new WireMetadata(trailers, true) : plainOk };
}

/** Metadata that grpc-js converts to headers but does not change: it calls `clone`, and then `toHttp2Headers`. */
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
