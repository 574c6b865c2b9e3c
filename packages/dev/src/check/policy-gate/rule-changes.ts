import type { Rule } from '../../descriptors/rules.ts';
import {
  narrowedBounds,
  narrowedExclusion,
  narrowedList,
  quantities,
  type RulesByName,
} from './accepted-values.ts';
import type { TightenedRule } from './tightened.ts';

/** Rules that other functions compare, because a changed value may be looser. */
const comparedByValue = new Set([
  ...quantities.flatMap((names) => Object.values(names)),
  'const',
  'in',
  'not_in',
  'within',
  'oneof',
  'ignore',
  'strict',
]);

/** Formats that are part of others: each IPv4 address is an IP address. */
const widerFormats: Readonly<Record<string, readonly string[]>> = {
  ip: ['ipv4', 'ipv6'],
  address: ['hostname', 'ip', 'ipv4', 'ipv6'],
  uri_ref: ['uri'],
  ip_prefix: ['ipv4_prefix', 'ipv6_prefix'],
  ip_with_prefixlen: [
    'ipv4_with_prefixlen',
    'ipv6_with_prefixlen',
    'ip_prefix',
    'ipv4_prefix',
    'ipv6_prefix',
  ],
};

/** The value of `ignore` that disables all rules. */
const ignoreAlways = 3;

/** Returns the rules that reject values which were accepted before. */
export function tightenedRules(before: readonly Rule[], after: readonly Rule[]): TightenedRule[] {
  const groups = new Set([...before, ...after].map(({ group }) => group));
  return [...groups].flatMap((group) => {
    const [was, is] = [rulesIn(group, before), rulesIn(group, after)];
    if (isIgnored(group, after)) return [];
    const narrowed = [
      ...quantities.flatMap((names) => narrowedBounds(names, group, was, is)),
      ...narrowedList(was, is),
      ...narrowedExclusion(was, is),
      ...tightenedOneofs(before, after, group),
      ...[...is.values()]
        .filter((rule) => isTighter(rule, was))
        .map((rule) => ({ is: rule, was: [was.get(rule.name)].filter((each) => each !== undefined) })),
    ].map(({ is, was }) => ({ rule: nameOf(is), was: earlierText(is, was), is: is.text, path: is.path }));
    return [...narrowed, ...lostExceptions(was, is, after.length > 0)];
  });
}

/** Returns the rules that excuse values from other rules, as far as they excuse fewer. */
function lostExceptions(before: RulesByName, after: RulesByName, hasRules: boolean): TightenedRule[] {
  const lost = (name: string, isLess: (was: unknown, is: unknown) => boolean) => {
    const [was, is] = [before.get(name), after.get(name)];
    if (!was || !isLess(was.values[0], is?.values[0])) return [];
    return [{ rule: nameOf(was), was: was.text, is: is?.text ?? 'none', path: is?.path ?? [] }];
  };
  return [
    ...(hasRules ? lost('ignore', (was, is = 0) => Number(is) < Number(was)) : []),
    // Strict is the default.
    ...(after.has('well_known_regex')
      ? lost('strict', (was, is = true) => was === false && is === true)
      : []),
  ];
}

/** Returns the values before. They have the names of their rules where these differ. */
function earlierText(is: Rule, was: readonly Rule[]): string {
  const texts = was.map(({ name, text }) => (name === is.name ? text : `${name} ${text}`));
  return texts.join(', ') || 'none';
}

/** CEL rules have their id, or their expression, as name. */
function nameOf({ group, name }: Rule): string {
  const full = group === '' ? name : `${group}.${name}`;
  return full.length > 60 ? `${full.slice(0, 60)}…` : full;
}

/** Whether the rules of a group, or of one that contains it, have no effect. */
function isIgnored(group: string, rules: readonly Rule[]): boolean {
  return rules.some(
    (rule) =>
      rule.name === 'ignore' &&
      rule.values[0] === ignoreAlways &&
      (rule.group === '' || `${group}.`.startsWith(`${rule.group}.`)),
  );
}

function rulesIn(group: string, rules: readonly Rule[]): RulesByName {
  return new Map(
    rules.filter((rule) => rule.group === group && rule.name !== 'oneof').map((rule) => [rule.name, rule]),
  );
}

/** Whether a rule that is not compared elsewhere rejects more than before. */
function isTighter({ name, values: [value] }: Rule, was: RulesByName): boolean {
  const [earlier] = was.get(name)?.values ?? [];
  if (name === 'within') return earlier === undefined || Number(value) < Number(earlier);
  if (comparedByValue.has(name) || value === false || value === earlier) return false;
  return !widerFormats[name]?.some((format) => was.get(format)?.values[0] === true);
}

/** A oneof of the message's rules permits at most one of its fields. One with fewer fields permits more. */
function tightenedOneofs(before: readonly Rule[], after: readonly Rule[], group: string) {
  const oneofsOf = (rules: readonly Rule[]) =>
    rules.filter((rule) => rule.group === group && rule.name === 'oneof');
  return oneofsOf(after).flatMap((is) => {
    const [isRequired, ...fields] = is.values;
    const isImplied = oneofsOf(before).some(({ values: [wasRequired, ...wasFields] }) => {
      const hasAll = fields.every((field) => wasFields.includes(field));
      return hasAll && (!isRequired || (wasRequired && wasFields.length === fields.length));
    });
    return isImplied ? [] : [{ is, was: [] }];
  });
}
