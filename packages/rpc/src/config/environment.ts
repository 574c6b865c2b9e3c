/** Every problem of the environment, each naming its variable and what it expects. Values are not repeated. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** Reads variables and collects their problems until `check` is called. */
export interface Environment {
  text(name: string, wants: string, fallback?: string): string;
  optionalText(name: string): string | undefined;
  /** A text for which `problemOf` returns undefined; its problem is part of the error and must not repeat a secret. */
  checkedText(
    name: string,
    wants: string,
    problemOf: (text: string) => string | undefined,
    fallback?: string,
  ): string;
  oneOf<const Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice;
  /** As `oneOf`, but surrounding spaces are not removed: for a variable that other software reads as it is. */
  exactlyOneOf<const Choice extends string>(
    name: string,
    choices: readonly Choice[],
    fallback: Choice,
  ): Choice;
  /** `true` or `false`; false when it is not set. */
  flag(name: string): boolean;
  /** A whole number in decimal digits within the bounds, both included. */
  integer(name: string, bounds: { min: number; max: number }, fallback: number): number;
  /** The value that `parse` returns, which is undefined for an invalid text; the fallback when it is not set. */
  parsed<Value>(
    name: string,
    wants: string,
    parse: (text: string) => Value | undefined,
    fallback: Value,
  ): Value;
  /** Adds a problem that only the combination of several variables shows. */
  refuse(name: string, problem: string, wants: string): void;
  /** @throws EnvironmentError listing every problem that was found. */
  check(): void;
}

export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const problems: string[] = [];
  const valueFor = (name: string) => variables[name]?.trim() || undefined;
  const refuse = (name: string, problem: string, wants: string) =>
    void problems.push(`${name} is not valid (${problem}): it wants ${wants}`);
  const invalid = <Value>(name: string, wants: string, instead: Value): Value => {
    problems.push(
      `${name} ${valueFor(name) === undefined ? 'is missing' : 'is not valid'}: it wants ${wants}`,
    );
    return instead;
  };
  const choose = <const Choice extends string>(
    name: string,
    value: string | undefined,
    choices: readonly Choice[],
    fallback: Choice,
  ) =>
    choices.find((choice) => choice === (value ?? fallback)) ??
    invalid(name, `one of ${choices.join(', ')}`, fallback);
  return {
    text: (name, wants, fallback) => valueFor(name) ?? fallback ?? invalid(name, wants, ''),
    optionalText: valueFor,
    checkedText: (name, wants, problemOf, fallback) => {
      const value = valueFor(name) ?? fallback;
      if (value === undefined) return invalid(name, wants, '');
      const problem = problemOf(value);
      if (problem !== undefined) refuse(name, problem, wants);
      return value;
    },
    oneOf: (name, choices, fallback) => choose(name, valueFor(name), choices, fallback),
    exactlyOneOf: (name, choices, fallback) => choose(name, variables[name] || undefined, choices, fallback),
    flag: (name) => choose(name, valueFor(name), ['true', 'false'], 'false') === 'true',
    integer: (name, { min, max }, fallback) => {
      const value = valueFor(name);
      if (value === undefined) return fallback;
      const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
      return number >= min && number <= max
        ? number
        : invalid(name, `a whole number from ${min} to ${max}`, fallback);
    },
    parsed: (name, wants, parse, fallback) => {
      const value = valueFor(name);
      return value === undefined ? fallback : (parse(value) ?? invalid(name, wants, fallback));
    },
    refuse,
    check: () => {
      if (problems.length > 0) throw new EnvironmentError(problems.join('; '));
    },
  };
}
