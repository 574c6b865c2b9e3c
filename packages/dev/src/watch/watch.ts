import { parseArgs } from 'node:util';
import { policyOf } from '@acme/rpc/call/policy';
import { createClient } from '@acme/rpc/client/create-client';
import { resumingWatch } from '@acme/rpc/client/resuming-watch';
import { codeName, RpcError } from '@acme/rpc/errors/rpc-error';
import { fail } from '../cli/fail.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import type { ServiceEntry, WatchEntry } from '../repository/service-entry.ts';
import { services } from '../repository/services.ts';
import { targetOf } from '../repository/services-access.ts';
import { findRunningServices } from '../start/running-services.ts';

type Watch = NonNullable<Parameters<typeof resumingWatch>[0]>;

const watches: Record<string, WatchEntry & { readonly service: ServiceEntry }> = {};
for (const service of services)
  for (const [name, watch] of Object.entries(service.watches ?? {})) watches[name] = { ...watch, service };

const usage = `usage:\n${Object.entries(watches)
  .map(([name, { options }]) => {
    const own = Object.entries(options).map(([option, { repeated }]) =>
      repeated ? ` [--${option} ${option.toUpperCase()}]…` : ` [--${option} NAME]`,
    );
    return `  npm run watch -- ${name}${own.join('')} [--sub alice] [--from TOKEN] [--data FOLDER]\n`;
  })
  .join('')}`.trimEnd();

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

try {
  const [name = ''] = process.argv.slice(2);
  const watch = watches[name] ?? fail(usage);
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      sub: { type: 'string', default: 'alice' },
      from: { type: 'string', default: '' },
      data: { type: 'string', default: defaultDataFolder },
      ...Object.fromEntries(
        Object.entries(watch.options).map(([option, { repeated = false }]) => [
          option,
          { type: 'string' as const, multiple: repeated },
        ]),
      ),
    },
  });
  const given = Object.entries(watch.options).flatMap(([option, entry]) => {
    const value = (values as Readonly<Record<string, string | string[] | undefined>>)[option];
    return value === undefined ? [] : [{ ...entry, value }];
  });
  await follow(watch, {
    dataFolder: values.data,
    subject: values.sub,
    request: {
      resumeToken: values.from,
      ...Object.fromEntries(given.map(({ field, value }) => [field, value])),
    },
    extraScopes: given.flatMap(({ scope }) => scope ?? []),
  });
} catch (error) {
  fail(explained(error));
}

interface FollowOptions {
  readonly dataFolder: string;
  readonly subject: string;
  readonly request: { readonly resumeToken: string };
  readonly extraScopes: readonly string[];
}

/** Prints one line for each change until Ctrl-C, and then the option that resumes after the last one. */
async function follow(watch: (typeof watches)[string], options: FollowOptions): Promise<void> {
  const { service, method, line: lineOf } = watch;
  const running = (await findRunningServices(options.dataFolder)) ?? fail('no service is running: npm start');
  const descriptor = service.descriptor.methods.find(({ name }) => name === method);
  if (!descriptor) throw new Error(`services.ts: ${service.descriptor.typeName} has no method ${method}`);
  const scopes = [...policyOf(descriptor).scopes, ...options.extraScopes];
  // A new token for each time the watch resumes: the watch may outlive a token.
  const token = () => running.token(options.subject, scopes, service.name);
  const { credentials } = running;
  using client = createClient(service.descriptor, {
    target: targetOf(running, service.name),
    credentials,
    token,
  });
  const call = (client as unknown as Record<string, Watch>)[descriptor.localName] as Watch;
  let last: string | undefined;
  let isInterrupted = false;
  const onInterrupted = (error: unknown) => {
    if (!isInterrupted) process.stderr.write(`${explained(error)}; it will be resumed\n`);
    isInterrupted = true;
  };
  const onRestart = (error: unknown) => say(`${explained(error)}; this watches from now on`);
  try {
    const watchOptions = { signal: stop.signal, onInterrupted, onRestart };
    for await (const response of resumingWatch(call, options.request, watchOptions)) {
      isInterrupted = false;
      const line = lineOf(response);
      if (line !== undefined) say(line);
      else if (last === undefined) say('watching; Ctrl-C ends it');
      // A heartbeat.
      else if (process.stdout.isTTY) process.stdout.write('\x1b[2m·\x1b[0m\r');
      last = response.resumeToken;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  if (last !== undefined) say(`to go on from here: --from=${last}`);
}

function explained(error: unknown): unknown {
  return error instanceof RpcError ? `${codeName(error.code)}: ${error.message}` : error;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
