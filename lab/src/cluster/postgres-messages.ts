/** A message of PostgreSQL's protocol, as it was on the wire. */
export interface WireMessage {
  /** The message's letter; empty for the first one of a client, which has none. */
  readonly type: string;
  readonly bytes: Buffer;
}

/**
 * Cuts a stream of bytes into messages; what has not come whole is kept. Of plain connections only: TLS begins with a
 * byte that is no message.
 *
 * @param from Whose messages: a client's first one has no letter.
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

/** The texts that a message begins with, each ended by a zero. */
export function textsOf({ bytes }: WireMessage, count: number): string[] {
  const texts: string[] = [];
  for (let start = 5; texts.length < count; ) {
    const end = bytes.indexOf(0, start);
    texts.push(bytes.toString('utf8', start, end));
    start = end + 1;
  }
  return texts;
}
