import { type ServicesAccess, targetOf } from '@acme/dev/repository';
import type { ConsoleOptions, RunningServices, ServedConsole } from '@acme/dev/services';
import { consoleUrl, keptConsoleKey } from './http/console-key.ts';
import { serveConsole } from './serve-console.ts';
import { telemetryVariables } from './telemetry/telemetry-variables.ts';
import type { Breakable } from './trouble/breakable.ts';
import { databasePart } from './trouble/database-part.ts';
import { linePart } from './trouble/line-part.ts';
import { servicePart } from './trouble/service-part.ts';

const host = '127.0.0.1';

/** Serves the console for `npm start`. */
export async function openConsole({ port, dataFolder }: ConsoleOptions): Promise<ServedConsole> {
  await using opened = new AsyncDisposableStack();
  const key = await keptConsoleKey(dataFolder);
  const telemetryElsewhere = process.env.OTEL_EXPORTER_OTLP_ENDPOINT || null;
  const console = opened.use(await serveConsole({ host, port, key, otlpPort: 0, telemetryElsewhere }));
  // Loaded while PostgreSQL and the first services start.
  const loading = import('@acme/rpc/testing');
  const lines: Breakable[] = [];
  const { signals } = console;
  const kept = opened.move();
  return {
    url: consoleUrl(console.port, key),
    environment: telemetryElsewhere === null ? telemetryVariables(`http://${host}:${console.otlpPort}`) : {},
    lineBetween: async (caller, called, target) => {
      const { startFaultProxy } = await loading;
      const proxy = kept.use(await startFaultProxy({ target }));
      lines.push(linePart(caller, called, proxy));
      return proxy.target;
    },
    attach: (running) =>
      console.attach({
        ...pairOf(running),
        ordersDatabaseUrl: running.databaseUrl('orders'),
        inventoryDatabaseUrl: running.databaseUrl('inventory'),
        webUrls: Object.fromEntries(
          Object.entries(running.webTargets).map(([name, target]) => [name, `http://${target}`]),
        ),
        parts: [
          ...running.services.map((service) =>
            servicePart({
              service,
              restart: () => running.restart(service.name),
              breakers: () => signals.breakers(service.name),
            }),
          ),
          ...lines,
          ...(running.database ? [databasePart(running.database)] : []),
        ],
      }),
    detach: console.detach,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function pairOf({ credentials, token, ...access }: ServicesAccess & RunningServices) {
  return {
    credentials,
    token,
    ordersTarget: targetOf(access, 'orders'),
    inventoryTarget: targetOf(access, 'inventory'),
  };
}
