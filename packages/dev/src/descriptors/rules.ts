import { type DescField, type DescMessage, type Message, ScalarType, toJson } from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import {
  type Duration,
  DurationSchema,
  type FieldMask,
  FieldMaskSchema,
  type Timestamp,
  TimestampSchema,
} from '@bufbuild/protobuf/wkt';
import type {
  Rule as CelRule,
  MessageOneofRule,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

/** Value of a rule, in a form in which values of one rule compare with `<` and `===`. */
export type RuleValue = string | number | bigint | boolean;

/** One rule of protovalidate. */
export interface Rule {
  /** Message of the rule: `string`, `repeated.items.string`, or empty. */
  readonly group: string;
  /** Name in the group: `max_len`. A CEL rule has its id. */
  readonly name: string;
  /** Several for a list, such as `in`. */
  readonly values: readonly RuleValue[];
  /** Value for people. */
  readonly text: string;
  /** Field numbers from the options of the element to this rule. */
  readonly path: readonly number[];
  /** Whether the values are whole numbers, so that over 0 is the same as at least 1. */
  readonly isInteger: boolean;
}

/**
 * Returns the rules of an element, which may be nested: those of items, keys and values. Examples are no rules. `option` is
 * the number of the rules in the element's options.
 */
export function flattenRules(schema: DescMessage, rules: Message, option: number): Rule[] {
  return rulesOf(reflect(schema, rules), '', [option]);
}

function rulesOf(rules: ReflectMessage, group: string, path: readonly number[]): Rule[] {
  const known = rules.fields
    .filter((field) => field.name !== 'example' && rules.isSet(field))
    .flatMap((field) => rulesOfField(rules, field, group, [...path, field.number]));
  // A predefined rule of the repository. Its values have no order here.
  const custom = (rules.message.$unknown ?? []).map(({ no, data }) =>
    rule(group, `extension ${no}`, Buffer.from(data).toString('hex'), [...path, no]),
  );
  return [...known, ...custom];
}

function rulesOfField(
  rules: ReflectMessage,
  field: DescField,
  group: string,
  path: readonly number[],
): Rule[] {
  if (field.fieldKind === 'list') {
    const items: unknown[] = [...rules.get(field)];
    if (field.listKind !== 'message') return rulesOfScalars(field, items.map(scalarValue), group, path);
    return rulesOfMessages(
      field,
      items.map((item) => (item as ReflectMessage).message),
      group,
      path,
    );
  }
  const value = rules.get(field);
  if (field.fieldKind === 'message') {
    const nested = value as ReflectMessage;
    if (nested.desc.typeName.startsWith('google.protobuf.'))
      return [
        {
          ...rule(group, field.name, wktValue(nested.message), path),
          text: wktText(nested.message),
          isInteger: true,
        },
      ];
    return rulesOf(nested, group === '' ? field.name : `${group}.${field.name}`, path);
  }
  const text = field.enum?.value[value as number]?.name ?? textOf(scalarValue(value));
  return [{ ...rule(group, field.name, scalarValue(value), path), text, isInteger: isInteger(field) }];
}

function rulesOfScalars(
  field: DescField,
  values: readonly RuleValue[],
  group: string,
  path: readonly number[],
): Rule[] {
  if (field.name !== 'cel_expression') return [listRule(group, field, values, path)];
  return values.map((expression, index) =>
    rule(group, `cel_expression ${expression}`, expression, [...path, index]),
  );
}

function rulesOfMessages(
  field: DescField,
  messages: readonly Message[],
  group: string,
  path: readonly number[],
): Rule[] {
  if (field.name === 'cel')
    return messages.map((cel, index) => celRule(group, cel as CelRule, [...path, index]));
  if (field.name === 'oneof')
    return messages.map((each, index) => oneofRule(group, each as MessageOneofRule, [...path, index]));
  const text = `[${messages.map(wktText).join(', ')}]`;
  return [{ ...listRule(group, field, messages.map(wktValue), path), text }];
}

function rule(group: string, name: string, value: RuleValue, path: readonly number[]): Rule {
  return { group, name, values: [value], text: textOf(value), path, isInteger: false };
}

function listRule(
  group: string,
  field: DescField,
  values: readonly RuleValue[],
  path: readonly number[],
): Rule {
  return { group, name: field.name, values, text: listText(values), path, isInteger: isInteger(field) };
}

function celRule(group: string, { id, expression }: CelRule, path: readonly number[]): Rule {
  return rule(group, `cel ${id}`, expression, path);
}

function oneofRule(group: string, { fields, required }: MessageOneofRule, path: readonly number[]): Rule {
  const text = `${listText(fields)}${required ? ', required' : ''}`;
  return { group, name: 'oneof', values: [required ?? false, ...fields], text, path, isInteger: false };
}

function isInteger({ scalar }: DescField): boolean {
  return ![ScalarType.DOUBLE, ScalarType.FLOAT].includes(scalar ?? ScalarType.DOUBLE);
}

function listText(values: readonly RuleValue[]): string {
  return `[${values.map(textOf).join(', ')}]`;
}

function textOf(value: RuleValue): string {
  return typeof value === 'string' ? JSON.stringify(value) : `${value}`;
}

function scalarValue(value: unknown): RuleValue {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : (value as RuleValue);
}

/** Returns a Duration or a Timestamp in nanoseconds, and a FieldMask as its JSON. */
function wktValue(message: Message): RuleValue {
  if (message.$typeName === 'google.protobuf.FieldMask') return (message as FieldMask).paths.join(',');
  const { seconds, nanos } = message as Duration | Timestamp;
  return seconds * 1_000_000_000n + BigInt(nanos);
}

/** Returns a Duration as `1.5s`, and a Timestamp in RFC 3339. */
function wktText(message: Message): string {
  switch (message.$typeName) {
    case 'google.protobuf.Duration':
      return toJson(DurationSchema, message as Duration);
    case 'google.protobuf.Timestamp':
      return toJson(TimestampSchema, message as Timestamp);
    default:
      return toJson(FieldMaskSchema, message as FieldMask);
  }
}
