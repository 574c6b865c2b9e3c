import { runCommand } from '../../cli/run-command.ts';
import type { ContractImages } from './contract-images.ts';
import { type BreakingRules, isIn } from './own-files.ts';

/**
 * Compares the contract with an earlier one by the rules of buf.yaml.
 *
 * @throws Error with buf's report of breaking changes.
 */
export function checkBreaking({ modules, before, after }: ContractImages): undefined {
  // Rules of a module apply to its folder only. A file that moves to another module is then reported as removed.
  if (!modules.breaking) {
    runCommand(after.folder, 'buf', 'breaking', '--against', before.folder);
    return;
  }
  const foreign = [before, after].flatMap(({ descriptors, own }) =>
    descriptors.file.map(({ name }) => name).filter((name) => !own.has(name)),
  );
  const rules = rulesOfImage(modules.breaking, [...before.own, ...after.own]);
  const breaking = { ...rules, ignore: [...new Set(foreign)] };
  const config = JSON.stringify({ version: 'v2', breaking });
  const args = ['breaking', after.file, '--against', before.file, '--config', config];
  try {
    runCommand(after.folder, 'buf', ...args);
  } catch (error) {
    const report = (error as Error).message.replace(`buf ${args.join(' ')}: `, '');
    throw new Error(report.replaceAll(/^\S+\.proto(?=:\d)/gm, (name) => after.own.get(name) ?? name));
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
