/** Every problem of the environment, each naming its variable and what it expects. Values are not repeated. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** A variable as the code that reads it declares it: a row of docs/settings.md. */
export interface Setting {
  readonly name: string;
  /** Expected form, which errors repeat: `a whole number from 0 to 60`. */
  readonly format: string;
  /** Values that are permitted, when there are few. */
  readonly choices?: readonly string[];
  /** Value of an absent variable. Undefined when the variable is required, or when its absence has a meaning. */
  readonly default?: string | undefined;
  readonly isRequired: boolean;
  readonly meaning: string;
}

interface Described {
  /** Effect of the variable in whole sentences, for docs/settings.md. */
  readonly meaning: string;
}

interface TextFormat extends Described {
  /** Expected form: `host:port`. */
  readonly format: string;
}

interface CheckedText extends TextFormat {
  /** Returns what is wrong with a text. The answer is part of the error, so it must not repeat a secret. */
  readonly problemOf?: (text: string) => string | undefined;
}

interface RequiredText extends CheckedText {
  /** Without it the variable is required. */
  readonly default?: string;
}

interface ParsedText<Value> extends TextFormat {
  /** Returns undefined for an invalid text. */
  readonly parse: (text: string) => Value | undefined;
}

interface Choices<Choice extends string> extends Described {
  readonly choices: readonly Choice[];
  readonly default: Choice;
}

interface IntegerRange extends Described {
  /** Included, as is `max`. */
  readonly min: number;
  readonly max: number;
  readonly default: number;
}

/** Reads variables and collects their problems until `check` is called. Surrounding spaces are removed. */
export interface Environment {
  text(name: string, spec: RequiredText): string;
  optionalText(name: string, spec: CheckedText): string | undefined;
  /** Returns what `parse` returns; undefined when the variable is absent. */
  optionalParsed<Value>(name: string, spec: ParsedText<Value>): Value | undefined;
  oneOf<const Choice extends string>(name: string, spec: Choices<Choice>): Choice;
  /** As `oneOf`, but surrounding spaces are not removed: for a variable that other software reads as it is. */
  exactlyOneOf<const Choice extends string>(name: string, spec: Choices<Choice>): Choice;
  /** `true` or `false`; false when the variable is absent. */
  flag(name: string, spec: Described): boolean;
  /** A whole number in decimal digits. */
  integer(name: string, spec: IntegerRange): number;
  /** Adds a problem that only the combination of several variables shows. */
  addProblem(name: string, problem: string, format: string): void;
  /** @throws EnvironmentError listing every problem that was found. */
  check(): void;
}

/**
 * Returns an environment of these variables.
 *
 * @param onRead is called with the declaration of each variable that is read.
 */
export function readEnvironment(
  variables: NodeJS.ProcessEnv,
  onRead: (setting: Setting) => void = () => {},
): Environment {
  const problems: string[] = [];
  const valueFor = (name: string) => variables[name]?.trim() || undefined;
  const addProblem = (name: string, problem: string, format: string) =>
    void problems.push(`${name} is not valid (${problem}): expected ${format}`);
  const invalid = <Value>(name: string, format: string, instead: Value): Value => {
    problems.push(
      `${name} ${valueFor(name) === undefined ? 'is missing' : 'is not valid'}: expected ${format}`,
    );
    return instead;
  };
  const choose = <const Choice extends string>(
    name: string,
    value: string | undefined,
    { choices, default: fallback, meaning }: Choices<Choice>,
  ) => {
    const format = `one of ${choices.join(', ')}`;
    onRead({ name, format, choices, default: fallback, isRequired: false, meaning });
    return choices.find((choice) => choice === (value ?? fallback)) ?? invalid(name, format, fallback);
  };
  return {
    text: (name, { format, problemOf, default: fallback, meaning }) => {
      onRead({ name, format, default: fallback, isRequired: fallback === undefined, meaning });
      const value = valueFor(name) ?? fallback;
      if (value === undefined) return invalid(name, format, '');
      const problem = problemOf?.(value);
      if (problem !== undefined) addProblem(name, problem, format);
      return value;
    },
    optionalText: (name, { format, problemOf, meaning }) => {
      onRead({ name, format, isRequired: false, meaning });
      const value = valueFor(name);
      const problem = value === undefined ? undefined : problemOf?.(value);
      if (problem !== undefined) addProblem(name, problem, format);
      return value;
    },
    optionalParsed: (name, { format, parse, meaning }) => {
      onRead({ name, format, isRequired: false, meaning });
      const value = valueFor(name);
      return value === undefined ? undefined : (parse(value) ?? invalid(name, format, undefined));
    },
    oneOf: (name, spec) => choose(name, valueFor(name), spec),
    exactlyOneOf: (name, spec) => choose(name, variables[name] || undefined, spec),
    flag: (name, { meaning }) =>
      choose(name, valueFor(name), { choices: ['true', 'false'], default: 'false', meaning }) === 'true',
    integer: (name, { min, max, default: fallback, meaning }) => {
      const format = `a whole number from ${min} to ${max}`;
      onRead({ name, format, default: String(fallback), isRequired: false, meaning });
      const value = valueFor(name);
      if (value === undefined) return fallback;
      const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
      return number >= min && number <= max ? number : invalid(name, format, fallback);
    },
    addProblem,
    check: () => {
      if (problems.length > 0) throw new EnvironmentError(problems.join('; '));
    },
  };
}
