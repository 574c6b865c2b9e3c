import type { Rule, RuleValue } from '../../descriptors/rules.ts';

/** The rules of one group, such as `string`, by name. */
export type RulesByName = ReadonlyMap<string, Rule>;

/** Rules that bound the same quantity. */
export interface BoundNames {
  readonly min: string;
  readonly max: string;
  /** Rule that is both bounds. */
  readonly exact?: string;
  /** Rules of bounds that are outside of the range themselves. */
  readonly over?: string;
  readonly under?: string;
}

/** The quantities that rules bound. */
export const quantities: readonly BoundNames[] = [
  { min: 'min_len', max: 'max_len', exact: 'len' },
  { min: 'min_bytes', max: 'max_bytes', exact: 'len_bytes' },
  { min: 'min_items', max: 'max_items' },
  { min: 'min_pairs', max: 'max_pairs' },
  { min: 'gte', max: 'lte', over: 'gt', under: 'lt' },
];

/** A rule that excludes values which were accepted before, and the rules in its place before. */
export interface Narrowed {
  readonly is: Rule;
  readonly was: readonly Rule[];
}

interface Bound {
  readonly value: number | bigint;
  readonly isOpen: boolean;
  /** Undefined for the bound of the type itself. */
  readonly rule?: Rule;
}

/** Values from one bound to the other. */
type Segment = readonly [low: Bound, high: Bound];

/** Returns the bounds of a quantity that exclude values which were accepted before. `group` is the group of the rules. */
export function narrowedBounds(
  names: BoundNames,
  group: string,
  before: RulesByName,
  after: RulesByName,
): Narrowed[] {
  const smallest = smallestOf(names, group);
  const [was, is] = [boundsOf(names, smallest, before), boundsOf(names, smallest, after)];
  const accepted = segmentsOf(is);
  if (segmentsOf(was).every((each) => accepted.some((segment) => isInside(each, segment)))) return [];
  // With a hole before or after, any other bound may exclude values.
  const isMixed = hasHole(was) || hasHole(is);
  const sides = [
    { earlier: was[0], later: is[0], isNarrower: isLower(was[0], is[0]) },
    { earlier: was[1], later: is[1], isNarrower: isHigher(was[1], is[1]) },
  ];
  const narrower = sides.filter(
    ({ earlier, later, isNarrower }) => isNarrower || (isMixed && earlier.value !== later.value),
  );
  // One rule may state both bounds.
  const rules = new Set(narrower.flatMap(({ later }) => later.rule ?? []));
  return [...rules].map((rule) => ({
    is: rule,
    was: narrower.filter(({ later }) => later.rule === rule).flatMap(({ earlier }) => earlier.rule ?? []),
  }));
}

function boundsOf(names: BoundNames, smallest: number | bigint, rules: RulesByName): Segment {
  const { min, max, exact = '', over = '', under = '' } = names;
  const [low, open] = [rules.get(exact) ?? rules.get(min), rules.get(over)];
  const [high, openHigh] = [rules.get(exact) ?? rules.get(max), rules.get(under)];
  return [
    low || open ? boundOf(low ?? open, !low, 1n) : { value: smallest, isOpen: false },
    high || openHigh ? boundOf(high ?? openHigh, !high, -1n) : { value: Infinity, isOpen: false },
  ];
}

/** Returns the bound that a rule states. For whole numbers, over 0 is the same as at least 1. */
function boundOf(rule: Rule | undefined, isOpen: boolean, inwards: bigint): Bound {
  const [value] = rule?.values ?? [];
  if (!rule || (typeof value !== 'number' && typeof value !== 'bigint'))
    throw new Error('a bound has no number');
  if (!rule.isInteger) return { value, isOpen, rule };
  return { value: BigInt(value) + (isOpen ? inwards : 0n), isOpen: false, rule };
}

/** Lengths and unsigned numbers are at least 0, so a minimum of 0 excludes nothing. */
function smallestOf({ over }: BoundNames, group: string): number | bigint {
  return over === undefined || /(^|\.)(uint|fixed)(32|64)$/.test(group) ? 0n : -Infinity;
}

/** A lower bound above the upper one excludes the values between them. */
function hasHole([low, high]: Segment): boolean {
  return low.value > high.value || (low.value === high.value && low.isOpen && high.isOpen);
}

function segmentsOf(bounds: Segment): readonly Segment[] {
  if (!hasHole(bounds)) return [bounds];
  const [low, high] = bounds;
  return [
    [{ value: -Infinity, isOpen: false }, high],
    [low, { value: Infinity, isOpen: false }],
  ];
}

function isInside([low, high]: Segment, [outerLow, outerHigh]: Segment): boolean {
  return !isLower(low, outerLow) && !isHigher(high, outerHigh);
}

/** Whether a lower bound accepts values that the other one does not. */
function isLower(bound: Bound, other: Bound): boolean {
  return bound.value < other.value || (bound.value === other.value && other.isOpen && !bound.isOpen);
}

/** Whether an upper bound accepts values that the other one does not. */
function isHigher(bound: Bound, other: Bound): boolean {
  return bound.value > other.value || (bound.value === other.value && other.isOpen && !bound.isOpen);
}

/** Returns the list of values, if it excludes values which were accepted before. */
export function narrowedList(before: RulesByName, after: RulesByName): Narrowed[] {
  const [was, is] = [listOf(before), listOf(after)];
  if (!is) return [];
  const accepted = new Set<RuleValue>(is.values);
  return was?.values.every((value) => accepted.has(value)) ? [] : [{ is, was: was ? [was] : [] }];
}

/** Returns the rule that lists the accepted values. */
function listOf(rules: RulesByName): Rule | undefined {
  return rules.get('const') ?? rules.get('in');
}

/** Returns the list of excluded values, if it excludes values which were accepted before. */
export function narrowedExclusion(before: RulesByName, after: RulesByName): Narrowed[] {
  const [was, is] = [before.get('not_in'), after.get('not_in')];
  const added = is?.values.filter((value) => !was?.values.includes(value)) ?? [];
  return is && added.length > 0 ? [{ is, was: was ? [was] : [] }] : [];
}
