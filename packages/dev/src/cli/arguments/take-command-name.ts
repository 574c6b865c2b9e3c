import { exitWhenOutputCloses } from '../closed-output.ts';
import { reject } from '../reject.ts';
import { suggestion } from './nearest-name.ts';

/**
 * Returns the first argument of the process, the name of one of these commands, and removes it from `process.argv`. Without a
 * name, or with `--help`, prints the commands with their summaries and ends the process. Rejects another name.
 */
export function takeCommandName(call: string, summaries: Readonly<Record<string, string>>): string {
  exitWhenOutputCloses();
  const [name = '--help'] = process.argv.splice(2, 1);
  if (Object.hasOwn(summaries, name)) return name;
  const names = Object.keys(summaries);
  if (['--help', '-h', 'help'].includes(name)) {
    const width = Math.max(...names.map((each) => each.length));
    const rows = names.map((each) => `  ${each.padEnd(width)}  ${summaries[each]}`);
    const last = `${call} COMMAND --help prints the usage of a command.`;
    process.stdout.write(`usage: ${call} COMMAND [ARGUMENTS]\n\n${rows.join('\n')}\n\n${last}\n`);
    process.exit();
  }
  const kind = name.startsWith('-') ? 'option' : 'command';
  return reject(`unknown ${kind} ${name}${suggestion(name, names, `${call} --help lists the commands`)}`);
}
