import { create, type DescField, type DescMessage, type DescOneof, type Registry } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import type { Tightened } from './tightened.ts';

/** A new field or oneof whose rules reject a message without it. */
interface RejectedAbsence extends Omit<Tightened, 'element'> {
  readonly part: DescField | DescOneof;
}

/**
 * Returns the new fields and oneofs of a message that clients of the earlier contract must send: their rules reject a message
 * without them. `registry` has the later contract.
 */
export function requiredNewParts(
  before: DescMessage,
  after: DescMessage,
  registry: Registry,
): RejectedAbsence[] {
  const isNew = (part: DescField | DescOneof) =>
    part.kind === 'field'
      ? !before.fields.some(({ number }) => number === part.number)
      : !before.oneofs.some(({ name }) => name === part.name);
  if (![...after.fields, ...after.oneofs].some(isNew)) return [];
  const { violations = [] } = createValidator({ registry }).validate(after, create(after));
  return violations.flatMap(({ field: [part], ruleId, message }) =>
    (part?.kind === 'field' || part?.kind === 'oneof') && isNew(part)
      ? [{ part, rule: ruleId, was: `no ${part.kind}`, is: message }]
      : [],
  );
}
