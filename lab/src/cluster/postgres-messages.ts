/** A message of the PostgreSQL protocol, in its wire format. */
export interface WireMessage {
  /** The type byte as a letter. Empty for the first message of a client, which has none. */
  readonly type: string;
  readonly bytes: Buffer;
}

/**
 * Returns a parser that splits a byte stream into messages and buffers an incomplete one. It reads plain connections
 * only: TLS begins with a byte that is not a message.
 *
 * @param from The sender of the messages: the first message of a client has no type byte.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function createMessageReader(from: 'client' | 'server'): (bytes: Buffer) => WireMessage[] {
  let kept: Buffer = Buffer.alloc(0);
  let isFirst = from === 'client';
  return (bytes) => {
    kept = kept.length > 0 ? Buffer.concat([kept, bytes]) : bytes;
    const messages: WireMessage[] = [];
    for (;;) {
      const letterBytes = isFirst ? 0 : 1;
      if (kept.length < letterBytes + 4) return messages;
      const sizeBytes = letterBytes + kept.readInt32BE(letterBytes);
      if (kept.length < sizeBytes) return messages;
      const type = isFirst ? '' : String.fromCharCode(kept.readUInt8(0));
      messages.push({ type, bytes: kept.subarray(0, sizeBytes) });
      kept = kept.subarray(sizeBytes);
      isFirst = false;
    }
  };
}

/** Returns the first `count` null-terminated strings of a message. */
export function textsOf({ bytes }: WireMessage, count: number): string[] {
  const texts: string[] = [];
  for (let start = 5; texts.length < count; ) {
    const end = bytes.indexOf(0, start);
    texts.push(bytes.toString('utf8', start, end));
    start = end + 1;
  }
  return texts;
}
