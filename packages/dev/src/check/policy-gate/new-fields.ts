import { create, type DescField, type DescMessage, type Registry } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import type { Tightened } from './tightened.ts';

/** A new field whose rules reject a message without it. */
interface RejectedAbsence extends Omit<Tightened, 'element'> {
  readonly field: DescField;
}

/**
 * Returns the new fields of a message that clients of the earlier contract must send: their rules reject a message without
 * them. `registry` has the later contract.
 */
export function requiredNewFields(
  before: DescMessage,
  after: DescMessage,
  registry: Registry,
): RejectedAbsence[] {
  const known = new Set(before.fields.map(({ number }) => number));
  const added = after.fields.filter(({ number }) => !known.has(number));
  if (added.length === 0) return [];
  const { violations = [] } = createValidator({ registry }).validate(after, create(after));
  return violations.flatMap(({ field: [field], ruleId, message }) =>
    typeof field === 'object' && field.kind === 'field' && added.includes(field)
      ? [{ field, rule: ruleId, was: 'no field', is: message }]
      : [],
  );
}
