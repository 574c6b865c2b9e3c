import { createClient, resumingWatch } from '@acme/rpc/client';
import { policiesOf, policyOf } from '@acme/rpc/contract';
import { type DescMessage, type Message, toJson } from '@bufbuild/protobuf';
import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { suggestion } from '../cli/arguments/nearest-name.ts';
import { type Option, text, texts } from '../cli/arguments/option.ts';
import { errorText, fail } from '../cli/fail.ts';
import { reject } from '../cli/reject.ts';
import { dataOption } from '../repository/data-option.ts';
import { policies, services } from '../repository/load-services.ts';
import type { ServiceEntry, WatchEntry } from '../repository/service-entry.ts';
import { targetOf } from '../repository/services-access.ts';
import { requireRunningServices } from '../start/running-services.ts';

type Watch = NonNullable<Parameters<typeof resumingWatch>[0]>;

const watches: Record<string, WatchEntry & { readonly service: ServiceEntry }> = {};
for (const service of services)
  for (const [name, watch] of Object.entries(service.watches ?? {})) watches[name] = { ...watch, service };

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

const {
  values,
  positionals: [name],
} = parseCommandLine({
  call: 'npx svc watch',
  summary: 'Prints a line for each change, until Ctrl-C.',
  positionals: ['STREAM'],
  options: {
    // A stream comes before its options.
    ...ownOptions(watchNamed(process.argv[2])),
    sub: text('NAME', 'subject of the token', 'alice'),
    from: text('TOKEN', 'resumes after an earlier change', ''),
    data: dataOption,
  },
  details: `streams:\n${Object.entries(watches).map(streamLine).join('\n')}`,
});
const names = Object.keys(watches);
const watch =
  watchNamed(name) ??
  reject(`unknown stream ${name}${suggestion(name, names, `the streams are ${names.join(', ')}`)}`);

try {
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
  fail(error);
}

function watchNamed(name = ''): (typeof watches)[string] | undefined {
  return Object.hasOwn(watches, name) ? watches[name] : undefined;
}

function ownOptions(watch: WatchEntry | undefined): Record<string, Option<unknown>> {
  return Object.fromEntries(
    Object.entries(watch?.options ?? {}).map(([option, { field, repeated = false }]) => [
      option,
      (repeated ? texts : text)(option.toUpperCase(), `${field} of the changes to print`),
    ]),
  );
}

function streamLine([name, { options }]: [string, WatchEntry]): string {
  const own = Object.entries(options).map(
    ([option, { repeated }]) => ` [--${option} ${option.toUpperCase()}]${repeated ? '…' : ''}`,
  );
  return `  ${name}${own.join('')}`;
}

interface FollowOptions {
  readonly dataFolder: string;
  readonly subject: string;
  readonly request: { readonly resumeToken: string };
  readonly extraScopes: readonly string[];
}

/** Prints a line for each change until Ctrl-C, and then the option that resumes after the last change. */
async function follow(watch: (typeof watches)[string], options: FollowOptions): Promise<void> {
  const { service, method } = watch;
  const running = await requireRunningServices(options.dataFolder);
  const descriptor = service.descriptor.methods.find(({ name }) => name === method);
  if (!descriptor) throw new Error(`services.ts: ${service.descriptor.typeName} has no method ${method}`);
  const lineOf = watch.line ?? ((response: unknown) => changeAsJson(descriptor.output, response as Message));
  const scopes = [...policyOf(descriptor, policies).scopes, ...options.extraScopes];
  // Each resumption signs a new token, because a watch may outlive one.
  const token = () => running.token(options.subject, scopes, service.name);
  const { credentials } = running;
  using client = createClient(service.descriptor, {
    target: targetOf(running, service.name),
    credentials,
    policies: policiesOf(service.descriptor, policies),
    ...(scopes.length > 0 && { token }),
  });
  const call = (client as unknown as Record<string, Watch>)[descriptor.localName] as Watch;
  let last: string | undefined;
  let isInterrupted = false;
  const onInterrupted = (error: unknown) => {
    if (!isInterrupted) process.stderr.write(`${errorText(error)}; the watch is resumed\n`);
    isInterrupted = true;
  };
  const onRestart = (error: unknown) =>
    say(`${errorText(error)}; the watch starts anew, and changes since the last one are not printed`);
  try {
    const watchOptions = { signal: stop.signal, onInterrupted, onRestart };
    for await (const response of resumingWatch(call, options.request, watchOptions)) {
      isInterrupted = false;
      const line = lineOf(response);
      if (line !== undefined) say(line);
      else if (last === undefined) say('watching; Ctrl-C stops it');
      // A heartbeat.
      else if (process.stdout.isTTY) process.stdout.write('\x1b[2m·\x1b[0m\r');
      last = response.resumeToken;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  if (last !== undefined) say(`resume from here: --from=${last}`);
}

/** Returns a change as JSON on one line, undefined for a heartbeat: a response that has only its resume token. */
function changeAsJson(schema: DescMessage, response: Message): string | undefined {
  const { resume_token: _token, ...change } = toJson(schema, response, {
    useProtoFieldName: true,
  }) as Record<string, unknown>;
  return Object.keys(change).length > 0 ? JSON.stringify(change) : undefined;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
