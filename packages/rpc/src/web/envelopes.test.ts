import { expect, onTestFinished, test, vi } from 'vitest';
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

test('bytes that arrive one by one are copied a few times, not once for each byte', () => {
  const received = createReceivedBytes();
  const concat = vi.spyOn(Buffer, 'concat');
  onTestFinished(() => concat.mockRestore());
  for (let index = 0; index < 64 * 1024; index++) received.append(Buffer.of(index % 251));
  const copiedBytes = concat.mock.results.reduce((sum, { value }) => sum + value.length, 0);
  expect(copiedBytes).toBeLessThanOrEqual(16 * 64 * 1024);
  expect(received.take(64 * 1024)).toEqual(
    Buffer.from(Array.from({ length: 64 * 1024 }, (_, index) => index % 251)),
  );
  expect(received.sizeBytes).toBe(0);
});
