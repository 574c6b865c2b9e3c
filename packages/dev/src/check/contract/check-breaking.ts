import { join } from 'node:path';
import { runCommand } from '../../cli/run-command.ts';
import type { ContractImage, ContractImages } from './contract-images.ts';
import { type BreakingRules, isIn } from './own-files.ts';

/**
 * Compares the contract with an earlier one by the rules of buf.yaml.
 *
 * @throws Error with the report of breaking changes.
 */
export function checkBreaking({ before, after }: ContractImages): undefined {
  const { breaking } = after.modules;
  const report = breaking ? imageReport(before, after, breaking) : moduleReports(before, after);
  if (report !== '') throw new Error(report);
}

/**
 * Compares each module with its earlier version, by its own rules, which apply to its folder only. A file that moves to another
 * module is reported as removed.
 */
function moduleReports(before: ContractImage, after: ContractImage): string {
  const present = new Set(after.modules.paths);
  const reports = before.modules.paths.map((path) => {
    if (present.has(path)) return bufReport(after.folder, [path, '--against', join(before.folder, path)]);
    const isOwn = [...before.own.values()].some((file) => isIn(file, path));
    return isOwn
      ? `buf.yaml no longer has the module ${path}, whose services and messages callers may use`
      : '';
  });
  return reports.filter((each) => each !== '').join('\n');
}

/** Compares all modules as one, by rules that apply to all of them. */
function imageReport(before: ContractImage, after: ContractImage, rules: BreakingRules): string {
  const foreign = [before, after].flatMap(({ descriptors, own }) =>
    descriptors.file.map(({ name }) => name).filter((name) => !own.has(name)),
  );
  const named = rulesOfImage(rules, [...before.own, ...after.own]);
  const breaking = { ...named, ignore: [...new Set(foreign)] };
  const config = JSON.stringify({ version: 'v2', breaking });
  const report = bufReport(after.folder, [after.file, '--against', before.file, '--config', config]);
  return report.replaceAll(/^\S+\.proto(?=:\d)/gm, (name) => after.own.get(name) ?? name);
}

/** Returns what `buf breaking` reports, without its command. Empty if it reports nothing. */
function bufReport(folder: string, args: readonly string[]): string {
  try {
    runCommand(folder, 'buf', 'breaking', ...args);
    return '';
  } catch (error) {
    return (error as Error).message.replace(`buf breaking ${args.join(' ')}: `, '').trimEnd();
  }
}

/** Returns the rules for an image, in which files have the names under which they are imported. */
function rulesOfImage(rules: BreakingRules, own: readonly (readonly [string, string])[]): BreakingRules {
  const excused = Object.entries(rules.ignore_only ?? {}).map(([rule, paths]): [string, string[]] => [
    rule,
    own.filter(([, file]) => paths.some((path) => isIn(file, path))).map(([name]) => name),
  ]);
  return { ...rules, ignore_only: Object.fromEntries(excused) };
}
