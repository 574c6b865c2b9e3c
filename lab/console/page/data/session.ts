import type { DescService } from '@bufbuild/protobuf';
import { type Client, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { computed, effect, signal } from '@preact/signals';
import type { Session } from '../../api.ts';
import { now } from './clock.ts';
import { getJson } from './console-api.ts';
import { isConnected, phase } from './live.ts';

/** A session is renewed this long before it expires, and asked for again this long after a failure. */
const renewBeforeMs = 60_000;
const retryMs = 2000;
/** setTimeout takes 31 bits. */
const maxTimeoutMs = 2 ** 31 - 1;

/** How the page calls the services. Null until they run. */
export const session = signal<Session | null>(null);

let renewal: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  // A console that answers again may be another one, with other ports.
  if (isConnected.value && phase.value === 'running') renew();
});

// The timer stands still while the machine sleeps, and is late in a hidden page: the clock is not.
const isExpiring = computed(
  () => session.value !== null && now.value > session.value.expiresAtMs - renewBeforeMs / 2,
);
effect(() => {
  if (isExpiring.value) renew();
});

async function renew(): Promise<void> {
  clearTimeout(renewal);
  const opened = await getJson<Session>('/api/session').catch(() => null);
  if (opened) session.value = opened;
  const waitMs = opened ? Math.max(retryMs, opened.expiresAtMs - Date.now() - renewBeforeMs) : retryMs;
  clearTimeout(renewal);
  renewal = setTimeout(renew, Math.min(waitMs, maxTimeoutMs));
}

const transports = new Map<string, Transport>();

/**
 * Returns a client of a service. Its calls carry the newest token.
 *
 * @throws Error when the services do not run yet.
 */
export function clientOf<Service extends DescService>(name: string, service: Service): Client<Service> {
  const baseUrl = accessTo(name)?.url;
  if (baseUrl === undefined) throw new Error(`${name} has not started yet`);
  const transport =
    transports.get(baseUrl) ??
    createConnectTransport({ baseUrl, useBinaryFormat: true, interceptors: [authorize(name)] });
  transports.set(baseUrl, transport);
  return createClient(service, transport);
}

function authorize(name: string): Interceptor {
  return (next) => (request) => {
    request.header.set('authorization', `Bearer ${accessTo(name)?.token}`);
    return next(request);
  };
}

function accessTo(name: string): Session['services'][number] | undefined {
  return session.value?.services.find((each) => each.name === name);
}
