import { setTimeout as sleep } from 'node:timers/promises';
import type { Checklist } from './checklist.ts';
import type { Stack } from './stack.ts';

/** The fields of the console's answers that are read here. */
interface Answers {
  readonly session: { readonly services: readonly { readonly url: string; readonly token: string }[] };
  readonly signals: { readonly services: readonly { readonly service: string }[] };
  readonly traces: { readonly traces: readonly unknown[] };
  readonly orders: { readonly orders?: readonly unknown[] };
}

const timeoutMs = 30_000;
const pollMs = 500;

/** Checks that the console sees the stack, and that a page calls the services through it. */
export async function checkConsole({ consoleUrl, compose }: Stack, { check }: Checklist): Promise<void> {
  const [, key] = /#key=(\S+)/.exec(await compose('logs', '--no-log-prefix', 'console')) ?? [];
  const authorization = `Bearer ${key}`;
  const answer = async <Name extends keyof Answers>(path: string, init?: RequestInit) => {
    const headers = { authorization, ...init?.headers };
    const response = await fetch(`${consoleUrl}${path}`, { ...init, headers });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answers[Name];
  };
  await check('a page calls orders through the console', async () => {
    const { services } = await answer<'session'>('/api/session');
    const orders = services.find(({ url }) => url === '/call/orders');
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${orders?.token}` };
    const path = `${orders?.url}/orders.v1.OrderService/ListOrders`;
    const listed = await answer<'orders'>(path, { method: 'POST', headers, body: '{"page_size": 5}' });
    return { good: Array.isArray(listed.orders ?? []), found: '' };
  });
  await check('the console receives the telemetry of both services', async () => {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const { services } = await answer<'signals'>('/api/signals?since=0');
      const { traces } = await answer<'traces'>('/api/traces?limit=1');
      const found = services.map(({ service }) => service).sort();
      const good = found.join() === 'inventory,orders' && traces.length > 0;
      if (good || performance.now() > deadlineMs) return { good, found: good ? '' : found.join() };
      await sleep(pollMs);
    }
  });
  await check('the page of another origin cannot use the console', async () => {
    const headers = { authorization, origin: 'https://a.example' };
    const { status } = await fetch(`${consoleUrl}/api/session`, { headers });
    return { good: status === 403, found: String(status) };
  });
  await check('another user of this machine cannot use the console', async () => {
    const { status } = await fetch(`${consoleUrl}/api/session`);
    return { good: status === 401, found: String(status) };
  });
}
