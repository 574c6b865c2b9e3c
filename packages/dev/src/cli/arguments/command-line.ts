import { parseArgs } from 'node:util';
import { exitWhenOutputCloses } from '../closed-output.ts';
import { reject } from '../reject.ts';
import { suggestion } from './nearest-name.ts';
import type { Option } from './option.ts';
import { type Command, callOf, synopsisOf, usageOf } from './usage.ts';

type Values<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends Option<infer Value> ? Value : never;
};

/** The arguments that are no options: a text for each name, or undefined for an absent one in brackets. */
type Arguments<Names extends readonly string[]> = {
  readonly [Index in keyof Names]: Names[Index] extends `[${string}]` ? string | undefined : string;
};

/**
 * Parses the arguments of a command. `--help` and `-h` print its usage and end the process with exit code 0. What the command
 * does not accept is one line on stderr, with the nearest name for an unknown option, and exit code 2.
 *
 * Also ends the process without an error message when the reader of its output ends.
 */
export function parseCommandLine<
  const Names extends readonly string[] = [],
  Options extends Readonly<Record<string, Option<unknown>>> = Readonly<Record<never, never>>,
>(
  command: Command<Names, Options>,
  args: readonly string[] = process.argv.slice(2),
): { readonly values: Values<Options>; readonly positionals: Arguments<Names> } {
  exitWhenOutputCloses();
  const options: Readonly<Record<string, Option<unknown>>> = command.options ?? {};
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: { help: { type: 'boolean', short: 'h' }, ...parseArgsOptions(options) },
  });
  const help = tokens.some((token) => token.kind === 'option' && token.name === 'help');
  if (help) {
    process.stdout.write(usageOf(command));
    process.exit();
  }
  const given: Record<string, string[]> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    else if (token.kind === 'option') {
      requireKnown(command, token.name, token.rawName);
      given[token.name] ??= [];
      given[token.name]?.push(optionText(options[token.name], token));
    }
  }
  requireArguments(command, positionals);
  const values = Object.entries(options).map(([name, option]) => [
    name,
    read(command, name, option, given[name]),
  ]);
  return { values: Object.fromEntries(values), positionals: positionals as unknown as Arguments<Names> };
}

function parseArgsOptions(options: Readonly<Record<string, Option<unknown>>>) {
  return Object.fromEntries(
    Object.entries(options).map(([name, { word, short }]) => [
      name,
      { type: word === undefined ? ('boolean' as const) : ('string' as const), ...(short && { short }) },
    ]),
  );
}

function requireKnown(command: Command, name: string, rawName: string): void {
  const options = command.options ?? {};
  if (Object.hasOwn(options, name)) return;
  const names = [...Object.keys(options), 'help'].map((each) => `--${each}`);
  const orElse =
    names.length === 1 ? `${command.call} has only --help` : `${callOf(command)} --help lists the options`;
  reject(`unknown option ${rawName}${suggestion(rawName, names, orElse)}`);
}

interface OptionToken {
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

/** Returns the text of an option on the command line, which is empty for a switch. */
function optionText(
  option: Option<unknown> | undefined,
  { rawName, value, inlineValue }: OptionToken,
): string {
  const word = option?.word;
  if (word === undefined) return value === undefined ? '' : reject(`${rawName} takes no value`);
  if (value === undefined) return reject(`${rawName} needs a value: ${rawName} ${word}`);
  if (value.length > 1 && value.startsWith('-') && !inlineValue)
    return reject(`${rawName} needs a value. One that begins with a hyphen is written ${rawName}=${value}`);
  return value;
}

function requireArguments(command: Command, given: readonly string[]): void {
  const names = command.positionals ?? [];
  const missing = names.filter((name) => !name.startsWith('['))[given.length];
  const surplus = given[names.length];
  if (missing !== undefined) reject(`${missing} is missing. Usage: ${synopsisOf(command)}`);
  if (surplus !== undefined) reject(`unexpected argument ${surplus}. Usage: ${synopsisOf(command)}`);
}

function read(
  command: Command,
  name: string,
  option: Option<unknown>,
  given: readonly string[] = [],
): unknown {
  if (option.isRequired && given.length === 0) reject(`--${name} is missing. Usage: ${synopsisOf(command)}`);
  try {
    return option.read(given);
  } catch (error) {
    return reject(`--${name} ${(error as Error).message}, not "${given.at(-1)}"`);
  }
}
