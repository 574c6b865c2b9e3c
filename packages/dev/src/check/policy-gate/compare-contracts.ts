import { createFileRegistry, type DescMessage, type DescService, type Registry } from '@bufbuild/protobuf';
import {
  field as fieldRules,
  oneof as oneofRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { type Element, elementName, rulesOf } from '../../descriptors/element.ts';
import { sourceLine } from '../../descriptors/source-location.ts';
import type { ContractImages } from '../contract/contract-images.ts';
import { tightenedMethod } from './method-changes.ts';
import { requiredNewParts } from './required-parts.ts';
import { tightenedRules } from './rule-changes.ts';
import type { Tightened, TightenedRule } from './tightened.ts';

/** A part of the contract that became tighter, and its place in the source. */
export interface LocatedTightened extends Tightened {
  readonly file: string;
  readonly line: number;
}

/** An element, and the parts of it that became tighter. */
type ElementChanges = readonly [Element, readonly TightenedRule[]];

/**
 * Returns the parts of this repository's contract that accept or promise less than before: policies of methods, and rules of
 * protovalidate. New methods, messages and fields are not compared, except for a field or a oneof that old clients would have to
 * send.
 */
export function compareContracts({
  before,
  after,
}: Pick<ContractImages, 'before' | 'after'>): LocatedTightened[] {
  const [was, is] = [createFileRegistry(before.descriptors), createFileRegistry(after.descriptors)];
  return [...is].flatMap((type) => {
    // Contracts of other authors are not compared.
    const file = after.own.get(`${type.file.name}.proto`);
    const earlier = was.get(type.typeName);
    if (file === undefined || !earlier) return [];
    return compareTypes(earlier, type, is).flatMap(([element, changes]) =>
      changes.map(({ path, ...change }) => ({
        element: elementName(element),
        ...change,
        file,
        line: sourceLine(element, path),
      })),
    );
  });
}

function compareTypes(before: DescType, after: DescType, registry: Registry): ElementChanges[] {
  if (before.kind === 'service' && after.kind === 'service') return compareServices(before, after);
  if (before.kind === 'message' && after.kind === 'message') return compareMessages(before, after, registry);
  return before.kind === 'extension' && after.kind === 'extension' ? [compareRules(before, after)] : [];
}

type DescType = NonNullable<ReturnType<Registry['get']>>;

function compareServices(before: DescService, after: DescService): ElementChanges[] {
  return after.methods.flatMap((method): ElementChanges[] => {
    const earlier = before.methods.find(({ name }) => name === method.name);
    return earlier ? [[method, tightenedMethod(earlier, method)]] : [];
  });
}

function compareMessages(before: DescMessage, after: DescMessage, registry: Registry): ElementChanges[] {
  const fields = after.fields.map((field) => {
    const earlier = before.fields.find(({ number }) => number === field.number);
    return earlier ? [compareRules(earlier, field)] : [];
  });
  const oneofs = after.oneofs.map((oneof) => {
    const earlier = before.oneofs.find(({ name }) => name === oneof.name);
    return earlier ? [compareRules(earlier, oneof)] : [];
  });
  const added = requiredNewParts(before, after, registry).map(({ part, ...change }): ElementChanges => {
    const { number } = part.kind === 'field' ? fieldRules : oneofRules;
    return [part, [{ ...change, path: [number] }]];
  });
  return [compareRules(before, after), ...fields.flat(), ...oneofs.flat(), ...added];
}

function compareRules(before: Element, after: Element): ElementChanges {
  return [after, tightenedRules(rulesOf(before), rulesOf(after))];
}
