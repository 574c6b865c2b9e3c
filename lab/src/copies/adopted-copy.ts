import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeCommand } from '@acme/dev/check';
import { runCommand } from '@acme/dev/cli';
import { type CopyPrograms, copyPrograms } from './copy-programs.ts';
import { copyRepository, type RepositoryCopy } from './copy-repository.ts';

/** A text file of a copy, without the end of its last line. */
export interface TextFile {
  readonly file: string;
  readonly lines: readonly string[];
}

/** A copy of the repository, which `adopt` changes. Disposing removes it. */
export interface Copy extends RepositoryCopy, CopyPrograms {
  /** Makes the copy, and commits it. */
  adopt(...args: string[]): Promise<void>;
  /** Merges the files of Compose with Compose 2 itself, where it is installed. */
  composeConfig(): void;
  /** Checks configuration and rules with Prometheus' own tool, 2.43 or newer, where it is installed. */
  promtool(): void;
  textFiles(): TextFile[];
}

/** Copies the repository. With `install`, its packages are installed instead of linked, because `adopt` replaces some. */
export async function makeCopy(install: boolean): Promise<Copy> {
  const repository = await copyRepository(!install);
  const { path, commit } = repository;
  if (install) runCommand(path, 'npm', 'ci', '--prefer-offline', '--no-audit', '--no-fund');
  const programs = copyPrograms(path);
  return {
    ...repository,
    ...programs,
    adopt: async (...args) => {
      await programs.program('packages/dev/src/adopt/adopt.ts', ...args).succeeds();
      commit('Begin');
    },
    composeConfig: () => {
      const compose = composeCommand();
      if (!compose) return void reportMissing('Compose 2');
      const [command, ...args] = compose;
      runCommand(path, command, ...args, '--profile', '*', 'config', '--quiet');
    },
    promtool: () => {
      if (spawnSync('promtool', ['--version']).error) return void reportMissing('promtool');
      const folder = join(path, 'deploy/observability/prometheus');
      runCommand(folder, 'promtool', 'check', 'config', 'local.yml', 'containers.yml');
      runCommand(folder, 'sh', '-c', 'promtool check rules rules/*.yml && promtool test rules tests/*.yml');
    },
    textFiles: () => {
      const listed = runCommand(path, 'git', 'ls-files', '--cached', '--others', '--exclude-standard').split(
        '\n',
      );
      return listed.flatMap((file) => {
        const bytes = readFileSync(join(path, file));
        return bytes.includes(0) ? [] : [{ file, lines: bytes.toString('utf8').trimEnd().split('\n') }];
      });
    },
  };
}

/** Says which tool is missing. Throws in CI, which requires every tool. */
function reportMissing(tool: string): void {
  if (process.env.CI) throw new Error(`${tool} is not installed`);
  process.stdout.write(`     ${tool} is not installed\n`);
}
