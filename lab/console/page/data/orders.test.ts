import { OrderSchema } from '@acme/gen/orders/v1/order_pb';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { signal } from '@preact/signals';
import { afterAll, expect, test, vi } from 'vitest';
import type { Live, PartState } from '../../api.ts';

const opened = vi.hoisted(() => [] as { readonly resumeToken: string; fail(error: Error): void }[]);

vi.mock('./session.ts', () => ({
  session: signal({ services: [], customers: ['alice'], expiresAtMs: 0 }),
  clientOf: () => ({
    listOrders: async () => ({ orders: [], nextPageToken: '' }),
    async *watchOrders({ resumeToken }: { readonly resumeToken: string }) {
      const { promise, reject } = Promise.withResolvers<void>();
      opened.push({ resumeToken, fail: reject });
      yield { resumeToken: `token ${opened.length}`, order: create(OrderSchema, { id: '1' }) };
      await promise;
    },
  }),
}));

vi.mock('./console-api.ts', () => ({ readEvents: () => new Promise(() => {}) }));

vi.useFakeTimers();
vi.stubGlobal('document', { visibilityState: 'visible', addEventListener: () => {} });
vi.stubGlobal('requestAnimationFrame', () => {});
const { live } = await import('./live.ts');
await import('./orders.ts');
afterAll(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function become(state: PartState): void {
  live.value = { phase: 'running', parts: [{ id: 'service:orders', state }] } as unknown as Live;
}

test('the watch is resumed with its token after the service was down', async () => {
  become('up');
  await vi.advanceTimersByTimeAsync(0);
  become('down');
  opened[0]?.fail(new ConnectError('lost', Code.Unavailable));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(opened).toHaveLength(1);
  become('up');
  await vi.advanceTimersByTimeAsync(0);
  expect(opened.map(({ resumeToken }) => resumeToken)).toEqual(['', 'token 1']);
});
