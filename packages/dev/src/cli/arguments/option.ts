/** An option of a command. */
export interface Option<Value> {
  /** Word for its value in the usage: `PORT`. A switch has none. */
  readonly word?: string;
  readonly help: string;
  /** One letter, for `-v`. */
  readonly short?: string;
  readonly isRequired?: boolean;
  /**
   * Returns the value for the texts that the command line gives, in their order: none if the option is absent.
   *
   * @throws Error that says what a text must be: "must be an integer from 1 to 500".
   */
  read(given: readonly string[]): Value;
}

/** A switch. */
export function flag(help: string, { short }: { readonly short?: string } = {}): Option<boolean> {
  return { help, ...(short && { short }), read: (given) => given.length > 0 };
}

/** Any text. */
export function text(word: string, help: string): Option<string | undefined>;
export function text(word: string, help: string, fallback: string): Option<string>;
export function text(word: string, help: string, fallback?: string): Option<string | undefined> {
  return { word, help: withDefault(help, fallback), read: (given) => given.at(-1) ?? fallback };
}

/** A text that must be given, and not be empty. */
export function requiredText(word: string, help: string): Option<string> {
  return { word, help, isRequired: true, read: (given) => given.at(-1) || mustBe(word) };
}

/** Any texts: the option may be given several times. */
export function texts(word: string, help: string): Option<readonly string[]> {
  return { word: `${word}…`, help, read: (given) => given };
}

/** Texts with commas between them. */
export function list(word: string, help: string, fallback: string): Option<readonly string[]> {
  const read = (given: readonly string[]) => (given.at(-1) ?? fallback).split(',').filter(Boolean);
  return { word, help: withDefault(help, fallback), read };
}

/** Integers with commas between them, of at least 1. */
export function integers(word: string, help: string, fallback: readonly number[]): Option<readonly number[]> {
  const read = (given: readonly string[]) => {
    const value = given.at(-1);
    if (value === undefined) return fallback;
    const numbers = value.split(',').map(Number);
    const isValid = numbers.every((number) => Number.isInteger(number) && number > 0);
    return isValid ? numbers : mustBe('integers with commas between them');
  };
  return { word, help: withDefault(help, fallback.join()), read };
}

/** One of a few words. */
export function choice<const Word extends string>(
  words: readonly Word[],
  help: string,
  fallback: Word,
): Option<Word> {
  const read = (given: readonly string[]) => {
    const value = given.at(-1) ?? fallback;
    return words.find((word) => word === value) ?? mustBe(words.join(' or '));
  };
  return { word: words.join('|'), help: withDefault(help, fallback), read };
}

/** The bounds of a number, both included. */
interface Range {
  readonly from: number;
  /** Default: none. */
  readonly to?: number;
}

/** An integer. */
export function integer(word: string, help: string, range: Range): Option<number | undefined>;
export function integer(
  word: string,
  help: string,
  range: Range & { readonly fallback: number },
): Option<number>;
export function integer(
  word: string,
  help: string,
  range: Range & { readonly fallback?: number },
): Option<number | undefined> {
  return numeric(word, help, range, /^-?\d+$/, 'an integer');
}

/** A number, with or without decimals. */
export function decimal(
  word: string,
  help: string,
  range: Range & { readonly fallback: number },
): Option<number> {
  return numeric(word, help, range, /^-?\d+(\.\d+)?$/, 'a number') as Option<number>;
}

function numeric(
  word: string,
  help: string,
  { from, to = Infinity, fallback }: Range & { readonly fallback?: number },
  pattern: RegExp,
  kind: string,
): Option<number | undefined> {
  const read = (given: readonly string[]) => {
    const value = given.at(-1);
    if (value === undefined) return fallback;
    const number = Number(value);
    const isValid = pattern.test(value) && number >= from && number <= to;
    return isValid
      ? number
      : mustBe(to === Infinity ? `${kind}, ${from} or more` : `${kind} from ${from} to ${to}`);
  };
  return { word, help: withDefault(help, fallback), read };
}

function withDefault(help: string, fallback: string | number | undefined): string {
  return fallback === undefined || fallback === '' ? help : `${help} (default: ${fallback})`;
}

function mustBe(what: string): never {
  throw new Error(`must be ${what}`);
}
