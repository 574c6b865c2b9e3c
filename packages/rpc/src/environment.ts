/** Problems of the environment, all of them, each naming its variable and what it wants. Values are not repeated. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** Reads variables, and remembers what was wrong with them until `check` is called. */
export interface Environment {
  text(name: string, wants: string, fallback?: string): string;
  optionalText(name: string): string | undefined;
  oneOf<const Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice;
  /** A whole number within the bounds, both included. */
  integer(name: string, bounds: { min: number; max: number }, fallback: number): number;
  /** What `parse` makes of it, which is undefined for what is not valid; the fallback when it is not set. */
  parsed<Value>(
    name: string,
    wants: string,
    parse: (text: string) => Value | undefined,
    fallback: Value,
  ): Value;
  /** A URL of one of the schemes, as it was written. */
  url(name: string, schemes: readonly string[]): string;
  /** @throws EnvironmentError listing every problem that was found. */
  check(): void;
}

export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const problems: string[] = [];
  const valueFor = (name: string) => variables[name]?.trim() || undefined;
  const problem = <Value>(name: string, wants: string, instead: Value): Value => {
    problems.push(
      `${name} ${valueFor(name) === undefined ? 'is missing' : 'is not valid'}: it wants ${wants}`,
    );
    return instead;
  };
  return {
    text: (name, wants, fallback) => valueFor(name) ?? fallback ?? problem(name, wants, ''),
    optionalText: valueFor,
    oneOf: (name, choices, fallback) => {
      const value = valueFor(name) ?? fallback;
      return (
        choices.find((choice) => choice === value) ?? problem(name, `one of ${choices.join(', ')}`, fallback)
      );
    },
    integer: (name, { min, max }, fallback) => {
      const value = Number(valueFor(name) ?? fallback);
      return Number.isInteger(value) && value >= min && value <= max
        ? value
        : problem(name, `a whole number from ${min} to ${max}`, fallback);
    },
    parsed: (name, wants, parse, fallback) => {
      const value = valueFor(name);
      return value === undefined ? fallback : (parse(value) ?? problem(name, wants, fallback));
    },
    url: (name, schemes) => {
      const value = valueFor(name);
      const scheme = value && URL.canParse(value) ? new URL(value).protocol.slice(0, -1) : '';
      return value && schemes.includes(scheme)
        ? value
        : problem(name, `a URL that starts with ${schemes.map((each) => `${each}://`).join(' or ')}`, '');
    },
    check: () => {
      if (problems.length > 0) throw new EnvironmentError(problems.join('; '));
    },
  };
}
