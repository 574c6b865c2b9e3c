import { type Policies, policyOf } from '@acme/rpc/contract';
import { method as methodPolicy } from '@acme/rpc/gen/policy/v1/policy_pb';
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescMethod,
  getOption,
  ScalarType,
} from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { rulesOf } from '../../descriptors/element.ts';
import { commentOf } from '../../descriptors/source-location.ts';
import { isGet, isWellKnown, type ServiceContract, shortName } from './service-contract.ts';

const retries: Readonly<Record<Level, string>> = {
  [Level.NO_SIDE_EFFECTS]: 'on UNAVAILABLE: the method has no side effects',
  [Level.IDEMPOTENT]: 'on UNAVAILABLE: the method is idempotent',
  [Level.IDEMPOTENCY_UNKNOWN]: 'none: the method is not known to be idempotent',
};

const kinds: Readonly<Record<DescMethod['methodKind'], string>> = {
  unary: 'one request, one response',
  server_streaming: 'one request, a stream of responses',
  client_streaming: 'a stream of requests, one response',
  bidi_streaming: 'a stream of requests, a stream of responses',
};

/** Returns the page of a service's methods, messages and enums, in Markdown. */
export function printApiPage(contract: ServiceContract, policies: Policies): string {
  const sections = [
    `# API of ${contract.name}`,
    'Generated from the contract by `npm run generate`.',
    ...contract.services.flatMap((service) => [
      `## ${service.typeName}`,
      prose(commentOf(service)),
      ...service.methods.flatMap((method) => methodSection(method, contract, policies)),
    ]),
    '## Messages',
    ...contract.messages.flatMap((message) => messageSection(message, contract)),
    ...(contract.enums.length > 0
      ? ['## Enums', ...contract.enums.flatMap((each) => enumSection(each, contract))]
      : []),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function methodSection(method: DescMethod, contract: ServiceContract, policies: Policies): string[] {
  const { errors } = getOption(method, methodPolicy);
  const rows = errors.map(({ reason, code, details }) => [
    code,
    `\`${reason}\``,
    details.map((detail) => `\`${detail}\``).join(', ') || 'none',
  ]);
  return [
    `### ${method.name}`,
    ...(method.deprecated ? ['Deprecated.'] : []),
    prose(commentOf(method)),
    table(['property', 'value'], policyRows(method, contract, policies)),
    ...(rows.length > 0 ? [table(['status code', 'reason', 'details beside the ErrorInfo'], rows)] : []),
  ];
}

function policyRows(method: DescMethod, contract: ServiceContract, policies: Policies): string[][] {
  const { deadlineMs, maxDeadlineMs, scopes, quota } = policyOf(method, policies);
  const path = `/${method.parent.typeName}/${method.name}`;
  const verbs = isGet(method) ? '`POST` or `GET`' : '`POST`';
  const exempt = quota?.exemptScope ? `, none with the scope \`${quota.exemptScope}\`` : '';
  return [
    ['request', link(method.input, contract)],
    ['response', link(method.output, contract)],
    ['kind', kinds[method.methodKind]],
    ['path', `\`${path}\`${method.methodKind === 'unary' ? `; with Connect ${verbs}` : ''}`],
    ['deadline', `${duration(deadlineMs)}, at most ${duration(maxDeadlineMs)}`],
    ['scopes', scopes.map((scope) => `\`${scope}\``).join(', ') || 'none: anonymous'],
    [
      'quota',
      quota
        ? `${quota.callsPerSecond} calls/s of a caller on a replica, ${quota.burst} at once${exempt}`
        : 'none',
    ],
    ['retries', retries[method.idempotency]],
  ];
}

function messageSection(message: DescMessage, contract: ServiceContract): string[] {
  const rules = ruleTexts(message);
  return [
    `### ${shortName(message, contract)}`,
    prose(commentOf(message)),
    ...(rules.length > 0 ? [`Rules: ${rules.join(', ')}`] : []),
    ...(message.fields.length > 0
      ? [
          table(
            ['field', 'type', 'rules', 'meaning'],
            message.fields.map((field) => [
              `\`${field.name}\``,
              typeText(field, contract),
              [...(field.oneof ? [`one of \`${field.oneof.name}\``] : []), ...ruleTexts(field)].join(', '),
              `${field.deprecated ? 'Deprecated. ' : ''}${cell(commentOf(field))}`,
            ]),
          ),
        ]
      : ['No fields.']),
  ];
}

function enumSection(desc: DescEnum, contract: ServiceContract): string[] {
  const rows = desc.values.map((value) => [`\`${value.name}\``, `${value.number}`, cell(commentOf(value))]);
  return [
    `### ${shortName(desc, contract)}`,
    prose(commentOf(desc)),
    table(['value', 'number', 'meaning'], rows),
  ];
}

function ruleTexts(element: DescMessage | DescField): string[] {
  return rulesOf(element).map(({ group, name, text }) => {
    // The type of a rule is that of the field.
    const path = [...group.split('.').filter((part) => ['items', 'keys', 'values'].includes(part)), name];
    return text === 'true' ? `\`${path.join('.')}\`` : `\`${path.join('.')} = ${text}\``;
  });
}

function typeText(field: DescField, contract: ServiceContract): string {
  const single = field.message ?? field.enum;
  const name = single ? link(single, contract) : scalarName(field.scalar);
  if (field.fieldKind === 'map') return `map of ${scalarName(field.mapKey)} to ${name}`;
  return field.fieldKind === 'list' ? `list of ${name}` : name;
}

function scalarName(scalar: ScalarType | undefined): string {
  return `\`${ScalarType[scalar ?? ScalarType.STRING].toLowerCase()}\``;
}

/** Returns a link to the section of a type. Types with a JSON form of their own have none. */
function link(desc: DescMessage | DescEnum, contract: ServiceContract): string {
  const name = shortName(desc, contract);
  if (isWellKnown(desc)) return `\`${name}\``;
  return `[${name}](#${name.toLowerCase().replaceAll('.', '')})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) =>
    `| ${cells.map((each) => each.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(head), `|${head.map(() => '---|').join('')}`, ...rows.map(row)].join('\n');
}

/** Escapes `<`, so that Markdown shows `<id>` instead of reading a tag of HTML. */
function prose(comment: string): string {
  return comment.replaceAll('<', '&lt;');
}

function cell(comment: string): string {
  return prose(comment).replaceAll(/\n- /g, '<br>- ').replaceAll('\n', ' ');
}

function duration(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return ms % 3_600_000 === 0 ? `${ms / 3_600_000} h` : `${ms / 1000} s`;
}
