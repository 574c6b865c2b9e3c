import { codeName, type RpcError } from '@acme/rpc/errors';
import {
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  HelpSchema,
  LocalizedMessageSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from '@acme/rpc/gen/google/rpc/error_details_pb';
import { type DescMessage, isMessage, type Message, type MessageShape } from '@bufbuild/protobuf';
import { AnySchema, durationMs } from '@bufbuild/protobuf/wkt';

/** Returns the lines of a detail of its type, undefined for one of another type. */
type Format = (detail: Message) => readonly string[] | undefined;

/** How each message of google.rpc reads: a line for each violation or link, otherwise one. */
const formats: readonly Format[] = [
  format(BadRequestSchema, ({ fieldViolations }) =>
    fieldViolations.map(({ field, description }) => `${field}: ${description}`),
  ),
  format(PreconditionFailureSchema, ({ violations }) =>
    violations.map(({ type, subject, description }) => `${type} ${subject}: ${description}`),
  ),
  format(QuotaFailureSchema, ({ violations }) =>
    violations.map(({ subject, description }) => `quota of ${subject}: ${description}`),
  ),
  format(ErrorInfoSchema, ({ reason, domain, metadata }) => {
    const entries = Object.entries(metadata).map(([key, value]) => `, ${key}: ${value}`);
    return [`reason: ${reason} of ${domain}${entries.join('')}`];
  }),
  format(ResourceInfoSchema, ({ resourceType, resourceName, description }) => [
    `resource: ${resourceType} ${resourceName}${description && `: ${description}`}`,
  ]),
  format(RetryInfoSchema, ({ retryDelay }) => {
    const delayMs = retryDelay ? durationMs(retryDelay) : 0;
    return [delayMs < 0 ? 'do not retry' : `retry after ${delayMs / 1000} s`];
  }),
  format(RequestInfoSchema, ({ requestId, servingData }) => [
    `request: ${requestId} ${servingData}`.trimEnd(),
  ]),
  format(HelpSchema, ({ links }) => links.map(({ description, url }) => `help: ${description} ${url}`)),
  format(LocalizedMessageSchema, ({ locale, message }) => [`message (${locale}): ${message}`]),
  format(DebugInfoSchema, ({ detail, stackEntries }) => [`debug: ${[detail, ...stackEntries].join(' ')}`]),
  format(AnySchema, ({ typeUrl, value }) => [`${typeUrl} (${value.length} bytes)`]),
];

/** Formats the status code and the message of a failed call, and a line for each violation and each other detail. */
export function callErrorText(error: RpcError): string {
  const lines = error.details.flatMap(
    (detail) => formats.map((each) => each(detail)).find((found) => found !== undefined) ?? [],
  );
  return [`${codeName(error.code)}: ${error.message}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function format<Desc extends DescMessage>(
  schema: Desc,
  lines: (detail: MessageShape<Desc>) => readonly string[],
): Format {
  return (detail) => (isMessage(detail, schema) ? lines(detail) : undefined);
}
