import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { fail } from './fail.ts';

export interface CommandLineOptions<Options extends ParseArgsOptionsConfig> {
  /** Printed for `--help`, and after an error of the command line. */
  readonly usage: string;
  readonly options?: Options;
  readonly allowPositionals?: boolean;
  /** The arguments after the command. Default: those of the process. */
  readonly args?: readonly string[];
}

/**
 * Parses the arguments of a command. `--help` prints the usage and ends the process with exit code 0. An unknown option
 * prints an error with the usage, and ends it with 1.
 */
export function parseCommandLine<const Options extends ParseArgsOptionsConfig>({
  usage,
  options,
  allowPositionals = false,
  args = process.argv.slice(2),
}: CommandLineOptions<Options>) {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${usage}\n`);
    process.exit();
  }
  try {
    return parseArgs({ args: [...args], allowPositionals, options: options ?? ({} as Options) });
  } catch (error) {
    return fail(`${(error as Error).message}\n${usage}`);
  }
}
