/** Frame types of RFC 9113, section 6. */
export const frameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  reset: 0x3,
  settings: 0x4,
  ping: 0x6,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const frameFlag = { none: 0x0, endStream: 0x1, acknowledge: 0x1, endHeaders: 0x4 } as const;

export const connectionPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const empty = Buffer.alloc(0);
/** CANCEL of RFC 9113, section 7. */
const cancelCode = Buffer.from([0, 0, 0, 8]);

/** Encodes one HTTP/2 frame without any check, because attackers send invalid frames. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = empty): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

export function resetFrame(streamId: number): Buffer {
  return frame(frameType.reset, frameFlag.none, streamId, cancelCode);
}

/** Splits a header block into a HEADERS frame and CONTINUATION frames of at most `sizeBytes` each. */
export function headerFrames(
  streamId: number,
  block: Buffer,
  { flags = frameFlag.none as number, sizeBytes = 16_000 } = {},
): Buffer {
  const frames: Buffer[] = [];
  for (let start = 0; start < block.length; start += sizeBytes) {
    const isLast = start + sizeBytes >= block.length;
    const type = start === 0 ? frameType.headers : frameType.continuation;
    const own = start === 0 ? flags : frameFlag.none;
    const payload = block.subarray(start, start + sizeBytes);
    frames.push(frame(type, own | (isLast ? frameFlag.endHeaders : frameFlag.none), streamId, payload));
  }
  return Buffer.concat(frames);
}

/** Id of the client's nth stream on a connection, from 0. */
export function streamIdOf(index: number): number {
  return 2 * index + 1;
}
