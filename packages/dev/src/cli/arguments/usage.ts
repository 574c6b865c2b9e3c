import type { Option } from './option.ts';

/** A command, as its usage describes it. */
export interface Command<
  Names extends readonly string[] = readonly string[],
  Options extends Readonly<Record<string, Option<unknown>>> = Readonly<Record<string, Option<unknown>>>,
> {
  /** How it is called, without arguments: `npx svc call`, `npm run demo`. */
  readonly call: string;
  /** A sentence or a few lines about its effect. */
  readonly summary: string;
  /** Names of its arguments that are no options, in their order: `METHOD`, and in brackets `[JSON]` for one that may be absent. */
  readonly positionals?: Names;
  /** Its options, by their names without hyphens. */
  readonly options?: Options;
  /** Lines for the end of the usage. */
  readonly details?: string;
}

/** Returns how a command is called with arguments. npm needs `--` before them. */
export function callOf({ call }: Command): string {
  return call.startsWith('npm run ') && !call.includes(' -- ') ? `${call} --` : call;
}

/** Returns a command and its arguments: `npx svc call METHOD [JSON] [OPTIONS]`. */
export function synopsisOf(command: Command): string {
  const { call, positionals = [], options = {} } = command;
  const all = Object.entries(options);
  const required = all
    .filter(([, { isRequired }]) => isRequired)
    .map(([name, { word }]) => `--${name} ${word}`);
  const args = [...positionals, ...required, ...(all.length > required.length ? ['[OPTIONS]'] : [])];
  return args.length === 0 ? call : [callOf(command), ...args].join(' ');
}

/** Returns the text that `--help` prints. */
export function usageOf(command: Command): string {
  const { summary, options = {}, details } = command;
  const rows = Object.entries(options).map(([name, { word, short, help }]) => ({
    left: `${short ? `-${short}, ` : ''}--${name}${word === undefined ? '' : ` ${word}`}`,
    help,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  const lines = rows.map(({ left, help }) => `  ${left.padEnd(width)}  ${help}`);
  const paragraphs = [
    `usage: ${synopsisOf(command)}`,
    summary,
    ...(lines.length > 0 ? [lines.join('\n')] : []),
  ];
  return `${[...paragraphs, ...(details ? [details] : [])].join('\n\n')}\n`;
}
