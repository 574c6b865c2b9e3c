import { createClient } from '@acme/rpc/client';
import { methodName, policiesOf, policyOf } from '@acme/rpc/contract';
import { Code, RpcError } from '@acme/rpc/errors';
import { type DescMethod, type Message, toJsonString } from '@bufbuild/protobuf';
import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { suggestion } from '../cli/arguments/nearest-name.ts';
import { flag, text } from '../cli/arguments/option.ts';
import { fail } from '../cli/fail.ts';
import { reject } from '../cli/reject.ts';
import { dataOption } from '../repository/data-option.ts';
import { policies, services } from '../repository/load-services.ts';
import { descriptorsOf } from '../repository/service-entry.ts';
import { targetOf } from '../repository/services-access.ts';
import { announcedServices, requireRunningServices } from '../start/running-services.ts';
import { callErrorText } from './call-error-text.ts';
import { printMetadata } from './print-metadata.ts';
import { readRequest } from './read-request.ts';

const methods = services.flatMap((service) =>
  descriptorsOf(service)
    .flatMap((descriptor) => descriptor.methods)
    .map((method) => ({ service, method, name: methodName(method) })),
);

const {
  values,
  positionals: [name, json],
} = parseCommandLine({
  call: 'npx svc call',
  summary: `Makes one call. JSON is the request, with the field names of the contract, or - to read it from stdin. A method with a stream
of requests reads them from stdin, one per line, when there is no JSON.`,
  positionals: ['METHOD', '[JSON]'],
  options: {
    sub: text('NAME', 'subject of the token', 'alice'),
    scopes: text(
      '"SCOPE SCOPE"',
      'scopes of the token. Default: those of the method; an anonymous method has no token',
    ),
    'no-token': flag('sends no token'),
    verbose: flag('prints the headers and trailers of the response on stderr', { short: 'v' }),
    data: dataOption,
  },
  details: `methods:\n${methods.map(({ name }) => `  ${name}`).join('\n')}`,
});
const { service, method } = methods.find((each) => each.name === name) ?? rejectMethod(name);
if (values['no-token'] && values.scopes !== undefined)
  reject('--scopes is for a token, which --no-token omits');

try {
  await call(method, await readRequest(method, json));
} catch (error) {
  // Only now: a health check before the call would take as long as the call.
  if (error instanceof RpcError && error.code === Code.UNAVAILABLE)
    await requireRunningServices(values.data).catch(fail);
  fail(error instanceof RpcError ? callErrorText(error) : error);
}

/** Calls the method, and prints each response as JSON. */
async function call(method: DescMethod, request: Message | AsyncIterable<Message>): Promise<void> {
  const running = await announcedServices(values.data);
  const scopes = values.scopes?.split(/\s+/) ?? policyOf(method, policies).scopes;
  // Anonymous methods need no token, and a server without token settings accepts none.
  const isAnonymous = values['no-token'] || scopes.length === 0;
  const token = isAnonymous ? undefined : await running.token(values.sub, scopes, service.name);
  using client = createClient(method.parent, {
    target: targetOf(running, service.name),
    credentials: running.credentials,
    policies: policiesOf(method.parent, policies),
    ...(token !== undefined && { token: () => token }),
  });
  const callMethod = (client as unknown as Record<string, (request: unknown, options: object) => unknown>)[
    method.localName
  ];
  const response = callMethod?.(request, values.verbose ? printMetadata : {});
  if (response instanceof Promise) print(method, await response);
  else for await (const message of response as AsyncIterable<Message>) print(method, message);
}

function print(method: DescMethod, message: Message): void {
  // Requests in the examples have the names of the contract, and so has what comes back.
  process.stdout.write(
    `${toJsonString(method.output, message, { prettySpaces: 2, useProtoFieldName: true })}\n`,
  );
}

function rejectMethod(unknown: string): never {
  // `PlaceOrder` and `OrderService/PlaceOrder` are near `orders.v1.OrderService/PlaceOrder`.
  const fullNames = new Map(
    methods.flatMap(({ name, method }) =>
      [name, `${method.parent.name}/${method.name}`, method.name].map((each) => [each, name] as const),
    ),
  );
  const orElse = 'npx svc call --help lists the methods';
  return reject(`unknown method ${unknown}${suggestion(unknown, [...fullNames.keys()], orElse, fullNames)}`);
}
