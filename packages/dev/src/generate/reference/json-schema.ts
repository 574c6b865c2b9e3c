import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { rulesOf } from '../../descriptors/element.ts';
import type { Rule } from '../../descriptors/rules.ts';
import { commentOf } from '../../descriptors/source-location.ts';

/** A JSON Schema (2020-12), as OpenAPI 3.1 has it. */
export type Schema = Readonly<Record<string, unknown>>;

/** Schemas of the types of `google.protobuf` that have a form of their own in ProtoJSON. */
const wellKnown: Readonly<Record<string, Schema>> = {
  Timestamp: { type: 'string', format: 'date-time' },
  Duration: { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]{1,9})?s$' },
  FieldMask: { type: 'string' },
  Empty: { type: 'object' },
  Struct: { type: 'object' },
  Value: {},
  NullValue: { type: 'null' },
  ListValue: { type: 'array' },
  Any: { type: 'object', properties: { '@type': { type: 'string' } }, required: ['@type'] },
  BoolValue: { type: ['boolean', 'null'] },
  StringValue: { type: ['string', 'null'] },
  BytesValue: { type: ['string', 'null'], contentEncoding: 'base64' },
  Int32Value: { type: ['integer', 'null'] },
  UInt32Value: { type: ['integer', 'null'] },
  Int64Value: { type: ['string', 'integer', 'null'] },
  UInt64Value: { type: ['string', 'integer', 'null'] },
  FloatValue: { type: ['number', 'string', 'null'] },
  DoubleValue: { type: ['number', 'string', 'null'] },
};

const int32 = { type: 'integer', format: 'int32' };
const uint32 = { type: 'integer', minimum: 0 };
/** ProtoJSON writes 64-bit numbers as text, and reads both. */
const int64 = { type: ['string', 'integer'], format: 'int64' };
const double = { type: ['number', 'string'], format: 'double' };

const scalars: Readonly<Record<ScalarType, Schema>> = {
  [ScalarType.DOUBLE]: double,
  [ScalarType.FLOAT]: double,
  [ScalarType.INT64]: int64,
  [ScalarType.UINT64]: int64,
  [ScalarType.INT32]: int32,
  [ScalarType.FIXED64]: int64,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
  [ScalarType.UINT32]: uint32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.SINT32]: int32,
  [ScalarType.SINT64]: int64,
};

/** Keywords of the rules that JSON Schema has too. Bytes have other lengths in JSON. */
const keywords: Readonly<Record<string, string>> = {
  'string.min_len': 'minLength',
  'string.max_len': 'maxLength',
  'string.pattern': 'pattern',
  'repeated.min_items': 'minItems',
  'repeated.max_items': 'maxItems',
  'repeated.unique': 'uniqueItems',
  'map.min_pairs': 'minProperties',
  'map.max_pairs': 'maxProperties',
};

const formats = ['uuid', 'email', 'hostname', 'ipv4', 'ipv6', 'uri'];

/** Returns the schema of a message in ProtoJSON, with the rules of protovalidate that JSON Schema has too. */
export function messageSchema(message: DescMessage): Schema {
  const required = message.fields.filter((field) => ruleValue(rulesOf(field), 'required') === true);
  const properties = message.fields.map((field): [string, Schema] => [
    field.jsonName,
    {
      ...described(commentOf(field)),
      ...fieldSchema(field),
      ...(field.deprecated ? { deprecated: true } : {}),
    },
  ]);
  return {
    ...described(commentOf(message)),
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 ? { required: required.map(({ jsonName }) => jsonName) } : {}),
  };
}

/** Returns the schema of an enum, whose values are names in JSON. */
export function enumSchema(desc: DescEnum): Schema {
  return { ...described(commentOf(desc)), type: 'string', enum: desc.values.map(({ name }) => name) };
}

export function described(description: string): Schema {
  return description === '' ? {} : { description };
}

/** Returns the schema of a type with a special form in ProtoJSON, or undefined for another type. */
export function wellKnownSchema(typeName: string): Schema | undefined {
  const [, name = ''] = /^google\.protobuf\.(\w+)$/.exec(typeName) ?? [];
  return wellKnown[name];
}

/** Returns the schema of a type, which for most types is a reference to the document's components. */
export function reference(typeName: string): Schema {
  return wellKnownSchema(typeName) ?? { $ref: `#/components/schemas/${typeName}` };
}

function fieldSchema(field: DescField): Schema {
  const rules = rulesOf(field);
  const of = (prefix: string) =>
    rules
      .filter(({ group }) => group === prefix || group.startsWith(`${prefix}.`))
      .map((rule) => ({ ...rule, group: rule.group.slice(prefix.length + 1) }));
  switch (field.fieldKind) {
    case 'list':
      return {
        type: 'array',
        items: { ...typeSchema(field), ...ruleKeywords(of('repeated.items')) },
        ...ruleKeywords(rules),
      };
    case 'map':
      return {
        type: 'object',
        propertyNames: ruleKeywords(of('map.keys')),
        additionalProperties: { ...typeSchema(field), ...ruleKeywords(of('map.values')) },
        ...ruleKeywords(rules),
      };
    default:
      return { ...typeSchema(field), ...ruleKeywords(rules) };
  }
}

function typeSchema({ message, enum: values, scalar }: DescField): Schema {
  const typeName = message?.typeName ?? values?.typeName;
  return typeName === undefined ? scalars[scalar ?? ScalarType.STRING] : reference(typeName);
}

/** Returns the keywords of rules, without those of items, keys and values. */
function ruleKeywords(rules: readonly Rule[]): Schema {
  const found = rules.flatMap(({ group, name, values }): [string, unknown][] => {
    const keyword = keywords[`${group}.${name}`];
    if (keyword !== undefined) return [[keyword, jsonOf(values[0])]];
    if (group === 'string' && name === 'len')
      return [
        ['minLength', jsonOf(values[0])],
        ['maxLength', jsonOf(values[0])],
      ];
    if (group === 'string' && name === 'in') return [['enum', values]];
    if (group === 'string' && name === 'const') return [['const', values[0]]];
    if (group === 'string' && formats.includes(name)) return [['format', name]];
    return numberKeyword(group, name, values[0]);
  });
  return Object.fromEntries(found);
}

/** Bounds of 64-bit numbers have no effect on their text. */
function numberKeyword(group: string, name: string, value: unknown): [string, unknown][] {
  const bounds: Readonly<Record<string, string>> = {
    gte: 'minimum',
    lte: 'maximum',
    gt: 'exclusiveMinimum',
    lt: 'exclusiveMaximum',
  };
  const bound = bounds[name];
  return bound && /^(s?int|uint|s?fixed)32$|^(double|float)$/.test(group) ? [[bound, jsonOf(value)]] : [];
}

function ruleValue(rules: readonly Rule[], name: string): unknown {
  return rules.find((rule) => rule.group === '' && rule.name === name)?.values[0];
}

function jsonOf(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
