import { describe, expect, test, vi } from 'vitest';
import { startProxiedPair } from './proxied-pair.ts';

const until = (check: () => unknown) => vi.waitUntil(check, { timeout: 15_000, interval: 5 });
const opposite = { upstream: 'downstream', downstream: 'upstream' } as const;
type Pair = Awaited<ReturnType<typeof startProxiedPair>>;

describe.each(['upstream', 'downstream'] as const)('%s', (direction) => {
  /** Sends back and forth in the direction that has no fault, to be sure that all else has had its time. */
  const roundTrips = async (pair: Pair, marker: string) => {
    const [sender, receiver] = pair.towards(opposite[direction]);
    sender.socket.write(marker);
    await until(() => receiver.text().endsWith(marker));
  };

  test('dropped bytes never arrive, and bytes after the fault arrive on the same connection', async () => {
    await using pair = await startProxiedPair();
    const [sender, receiver] = pair.towards(direction);
    pair.proxy.inject(direction, { drop: true });
    sender.socket.write('lost');
    await until(() => pair.proxy.counters.dropped[direction] === 4);
    await roundTrips(pair, 'other way');
    pair.proxy.heal();
    sender.socket.write('found');
    await until(() => receiver.text() === 'found');
  });

  test('a black hole passes nothing, not even an end, and passes everything when it is healed', async () => {
    await using pair = await startProxiedPair();
    const [sender, receiver] = pair.towards(direction);
    pair.proxy.inject(direction, { blackHole: true });
    sender.socket.end('held');
    await roundTrips(pair, 'other way');
    expect(receiver.text()).toBe('');
    expect(pair.proxy.counters.passed[direction]).toBe(0);
    pair.proxy.heal();
    expect(await receiver.over).toBe('end');
    expect(receiver.text()).toBe('held');
  });

  test('bytes arrive late by the delay and its jitter, in order', async () => {
    const jitter = [1, 0];
    await using pair = await startProxiedPair({ random: () => jitter.shift() ?? 0.5 });
    const [sender, receiver] = pair.towards(direction);
    pair.proxy.inject(direction, { delayMs: 200, jitterMs: 100 });
    const sentMs = performance.now();
    sender.socket.write('late');
    await until(() => jitter.length === 1);
    sender.socket.end(' and later');
    await receiver.over;
    // The first has the longest jitter and the second the shortest. A timer of Node may come 1 ms early.
    expect(performance.now() - sentMs).toBeGreaterThanOrEqual(299);
    expect(receiver.text()).toBe('late and later');
  });

  test('delayed bytes are sent on when the fault is healed', async () => {
    await using pair = await startProxiedPair();
    const [sender, receiver] = pair.towards(direction);
    pair.proxy.inject(direction, { delayMs: 3_600_000 });
    sender.socket.write('hours');
    await roundTrips(pair, 'other way');
    pair.proxy.heal();
    await until(() => receiver.text() === 'hours');
  });

  test('a connection is closed after cutAfterBytes, counted from the injection', async () => {
    await using pair = await startProxiedPair();
    const [sender, receiver] = pair.towards(direction);
    sender.socket.write('before ');
    await until(() => receiver.text() === 'before ');
    pair.proxy.inject(direction, { cutAfterBytes: 3 });
    sender.socket.write('abcdef');
    expect(await receiver.over).toBe('end');
    expect(receiver.text()).toBe('before abc');
    expect(pair.proxy.counters.dropped[direction]).toBe(3);
    // A cut connection stays cut. The other direction continues.
    pair.proxy.heal();
    sender.socket.write('ghi');
    await until(() => pair.proxy.counters.dropped[direction] === 6);
    await roundTrips(pair, 'other way');
  });

  test('a connection is reset on both sides after resetAfterBytes', async () => {
    await using pair = await startProxiedPair();
    const [sender, receiver] = pair.towards(direction);
    pair.proxy.inject(direction, { resetAfterBytes: 3 });
    sender.socket.write('abcdef');
    expect(await receiver.over).toBe('ECONNRESET');
    expect(await sender.over).toBe('ECONNRESET');
    expect(pair.proxy.counters).toMatchObject({ open: 0, passed: { [direction]: 3 } });
  });

  test('a throttled direction passes bytes at its rate', async () => {
    await using pair = await startProxiedPair();
    const [sender, receiver] = pair.towards(direction);
    pair.proxy.inject(direction, { bytesPerSecond: 10_000 });
    const sentMs = performance.now();
    sender.socket.end(Buffer.alloc(3000, 'x'));
    await receiver.over;
    expect(receiver.text()).toHaveLength(3000);
    // 15 pieces of 200 bytes, and nothing to wait for after the last.
    expect(performance.now() - sentMs).toBeGreaterThanOrEqual(14 * 19);
  });

  test('a direction of one byte an hour passes the rest at once when it is healed', async () => {
    await using pair = await startProxiedPair();
    const [sender, receiver] = pair.towards(direction);
    pair.proxy.inject(direction, { bytesPerSecond: 1 / 3600 });
    sender.socket.write('slow');
    await until(() => receiver.text() === 's');
    pair.proxy.heal();
    await until(() => receiver.text() === 'slow');
  });

  test('sliced bytes all arrive, one by one', async () => {
    await using pair = await startProxiedPair();
    const [sender, receiver] = pair.towards(direction);
    pair.proxy.inject(direction, { slice: true });
    const text = 'one by one '.repeat(50);
    sender.socket.end(text);
    await receiver.over;
    expect(receiver.text()).toBe(text);
    // The kernel may join some on the way.
    expect(receiver.received.length).toBeGreaterThan(10);
  });

  test('a receiver that does not read blocks its sender, and nothing is lost', async () => {
    await using pair = await startProxiedPair();
    const [sender, receiver] = pair.towards(direction);
    receiver.socket.pause();
    const piece = Buffer.alloc(64 * 1024);
    const pieces = 1024;
    let taken = 0;
    const send = () => {
      if (taken === pieces) sender.socket.end();
      else sender.socket.write(piece, () => ++taken && send());
    };
    send();
    const seen: number[] = [];
    await until(() => {
      seen.push(taken);
      const [first, ...others] = seen.slice(-10);
      return first && others.length === 9 && others.every((each) => each === first);
    });
    expect(taken).toBeLessThan(pieces / 2);
    receiver.socket.resume();
    await receiver.over;
    expect(receiver.received.reduce((sum, bytes) => sum + bytes.length, 0)).toBe(pieces * piece.length);
  });

  test('a reset by one side reaches the other', async () => {
    await using pair = await startProxiedPair();
    const [sender, receiver] = pair.towards(direction);
    sender.socket.resetAndDestroy();
    expect(await receiver.over).toBe('ECONNRESET');
  });
});
