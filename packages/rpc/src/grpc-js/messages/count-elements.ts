import { type DescField, type DescMessage, getOption, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { invalidArgument } from '../../errors/invalid-argument.ts';
import { field as fieldRules } from '../../gen/buf/validate/validate_pb.ts';
import { getOrInsert } from '../../node-24/get-or-insert.ts';

/** Maximum number of elements of a message on all levels: nested messages, list items and map entries. */
const maxElements = 10_000;
/** Multiple of the contract's limit up to which a list passes: validation reports it along with all other violations. */
const toleranceFactor = 2;
/** The limit of protobuf-es. */
const maxDepth = 100;

/** A field that can hold elements. */
interface ElementField {
  readonly name: string;
  /** Type of the element, or of a map entry's value, if that is a message. */
  readonly message: DescMessage | undefined;
  readonly isMap: boolean;
  /** From `repeated.max_items` or `map.max_pairs`; Infinity without a rule. */
  readonly maxItems: number;
  readonly ruleId: string;
  /** Returns the number of items in a run of packed scalars. */
  readonly packedItems: (packed: Uint8Array) => number;
}

const known = new WeakMap<DescMessage, ReadonlyMap<number, ElementField>>();

/**
 * Counts the elements of an encoded message without decoding it.
 *
 * @throws RpcError INVALID_ARGUMENT for a list or map over twice as long as the contract allows, or for over 10,000
 * elements in all.
 * @throws Error when the bytes cannot be read.
 */
export function countElements(schema: DescMessage, bytes: Uint8Array): number {
  let total = 0;
  const add = (field: ElementField, path: string, before: number, count: number) => {
    if (before + count > field.maxItems * toleranceFactor)
      throw invalidArgument([
        {
          field: path,
          description: `must contain no more than ${field.maxItems} item(s)`,
          reason: field.ruleId,
        },
      ]);
    total += count;
    if (total > maxElements)
      throw invalidArgument([
        { field: path, description: `the request has over ${maxElements} elements in all` },
      ]);
  };
  const walk = (type: DescMessage, from: Uint8Array, prefix: string, depth: number) => {
    if (depth > maxDepth) throw new Error('the message nests too deep');
    const fields = getOrInsert(known, type, elementFields);
    const counts = new Map<number, number>();
    const reader = new BinaryReader(from);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      const field = fields.get(number);
      const content = reader.skip(wireType, number);
      if (!field) continue;
      const before = counts.get(number) ?? 0;
      const path = `${prefix}${field.name}`;
      const isDelimited = wireType === WireType.LengthDelimited;
      const inner = isDelimited ? new BinaryReader(content).bytes() : content;
      const count = isDelimited ? field.packedItems(inner) : 1;
      add(field, path, before, count);
      counts.set(number, before + count);
      if (!field.message || !isDelimited) continue;
      const message = field.isMap ? valueBytes(inner) : inner;
      walk(field.message, message, `${path}[${before}].`, depth + 1);
    }
  };
  walk(schema, bytes, '', 1);
  return total;
}

function elementFields(type: DescMessage): ReadonlyMap<number, ElementField> {
  return new Map(
    type.fields.flatMap((field) => {
      const element = elementField(field);
      return element ? [[field.number, element]] : [];
    }),
  );
}

const one = () => 1;

function elementField(field: DescField): ElementField | undefined {
  const { name } = field;
  const rules = getOption(field, fieldRules).type;
  switch (field.fieldKind) {
    case 'message':
      return { name, message: field.message, isMap: false, maxItems: Infinity, ruleId: '', packedItems: one };
    case 'list': {
      const maxItems = limitOf(rules.case === 'repeated' ? rules.value.maxItems : 0n);
      const packedItems = field.listKind === 'message' ? one : packedCounter(field.scalar);
      const ruleId = 'repeated.max_items';
      return { name, message: field.message, isMap: false, maxItems, ruleId, packedItems };
    }
    case 'map': {
      const maxItems = limitOf(rules.case === 'map' ? rules.value.maxPairs : 0n);
      return {
        name,
        message: field.message,
        isMap: true,
        maxItems,
        ruleId: 'map.max_pairs',
        packedItems: one,
      };
    }
    default:
      return undefined;
  }
}

function limitOf(limit: bigint): number {
  return limit === 0n ? Number.POSITIVE_INFINITY : Number(limit);
}

/** Returns the value of a map entry, which is a message with the key as field 1 and the value as field 2. */
function valueBytes(entry: Uint8Array): Uint8Array {
  const reader = new BinaryReader(entry);
  let value = new Uint8Array();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 2 && wireType === WireType.LengthDelimited) value = reader.bytes() as typeof value;
    else reader.skip(wireType, number);
  }
  return value;
}

/** Returns the counter for a scalar type: strings and bytes are never packed, other types are fixed-size or varints. */
function packedCounter(scalar: ScalarType | undefined): (packed: Uint8Array) => number {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return one;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return ({ length }) => Math.ceil(length / 8);
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return ({ length }) => Math.ceil(length / 4);
    default:
      return varintsIn;
  }
}

/** Counts varints. A varint ends at the byte without the high bit. */
function varintsIn(packed: Uint8Array): number {
  let count = 0;
  for (const byte of packed) if (byte < 0x80) count++;
  return count;
}
