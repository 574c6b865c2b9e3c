import { expect, onTestFinished, test, vi } from 'vitest';
import { addChunk } from '../grpc-js/messages/join-chunks.ts';
import { splitEnvelopes } from './envelopes.ts';
import { createReceivedBytes } from './received-bytes.ts';

const mebibyte = 1024 * 1024;

/** Splits a body that arrives in chunks of a size. Returns the sizes of its messages. */
async function sizesOf(body: Buffer, chunkBytes: number): Promise<number[]> {
  async function* chunks() {
    for (let start = 0; start < body.length; start += chunkBytes)
      yield body.subarray(start, start + chunkBytes);
  }
  const sizes: number[] = [];
  for await (const { content } of splitEnvelopes(chunks(), mebibyte)) sizes.push(content.length);
  return sizes;
}

function envelope(sizeBytes: number): Buffer {
  const framed = Buffer.alloc(5 + sizeBytes);
  framed.writeUInt32BE(sizeBytes, 1);
  return framed;
}

test.each([1, 3, 7, 16_384, 2 * mebibyte])(
  'a body is split into its messages, whatever its chunks are: %d bytes',
  async (chunkBytes) => {
    const body = Buffer.concat([envelope(0), envelope(1000), envelope(0), envelope(20_000)]);
    expect(await sizesOf(body, chunkBytes)).toEqual([0, 1000, 0, 20_000]);
  },
);

// Copying the rest of a chunk for each message would take minutes.
test('many empty messages in one chunk cost no more than their bytes', async () => {
  const count = mebibyte;
  expect(await sizesOf(Buffer.alloc(5 * count), 5 * count)).toHaveLength(count);
});

test('bytes that arrive one by one are kept in few parts, and stay in order', () => {
  const bytes = Buffer.from(Array.from({ length: 64 * 1024 }, (_, index) => index % 251));
  const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow');
  onTestFinished(() => allocate.mockRestore());
  const received = createReceivedBytes();
  const parts: Uint8Array[] = [];
  for (const byte of bytes) received.append(Buffer.of(byte));
  const copiedBytes = allocate.mock.calls.reduce((sum, [sizeBytes]) => sum + sizeBytes, 0);
  expect(copiedBytes).toBeLessThanOrEqual(14 * bytes.length);
  for (const byte of bytes) addChunk(parts, Buffer.of(byte));
  expect(parts.length).toBeLessThan(32);
  expect(received.take(bytes.length)).toEqual(bytes);
  expect(received.sizeBytes).toBe(0);
});
