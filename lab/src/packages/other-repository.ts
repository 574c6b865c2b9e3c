import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { root } from '@acme/dev/repository';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { runIn } from './run-in.ts';

const contract = `syntax = "proto3";

package weather.v1;

service WeatherService {
  rpc GetWeather(GetWeatherRequest) returns (GetWeatherResponse);
}

message GetWeatherRequest {
  string city = 1;
}

message GetWeatherResponse {
  double celsius = 1;
}
`;

/**
 * Runs the command of `contract.yml` in a repository that has a contract and no npm, before and after a breaking change.
 *
 * @param registry Variables with which npm uses the registry that has the packages.
 * @throws Error when the command fails before the change, or does not name it afterwards.
 */
export async function checkOtherRepository(registry: Readonly<Record<string, string>>): Promise<void> {
  const command = await workflowCommand();
  await using folder = await openTemporaryFolder('other-repository-');
  const run = (program: string, ...args: string[]) =>
    runIn(folder.path, { ...registry, GATE_VERSION: 'latest', CONTRACT_BASE: '' }, program, ...args);
  const file = join(folder.path, 'proto/weather/v1/weather_service.proto');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, contract);
  await writeFile(join(folder.path, 'buf.yaml'), 'version: v2\nmodules:\n  - path: proto\n');
  await run('git', 'init', '--quiet', '--initial-branch=main');
  await run('git', 'add', '.');
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
  await run('git', ...who, 'commit', '--quiet', '--message', 'Begin');
  await run('sh', '-c', command);
  await writeFile(file, contract.replace('celsius', 'degrees'));
  const report = await run('sh', '-c', command).then(String, (error: Error) => error.message);
  if (!/FAIL buf breaking/.test(report)) throw new Error(`the gate permits a renamed field:\n${report}`);
}

/** Returns the command of the workflow. It installs the buf that this repository uses. */
async function workflowCommand(): Promise<string> {
  const workflow = await readFile(join(root, '.github/workflows/contract.yml'), 'utf8');
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const [, command = ''] = /- run: (npx .* svc check .*)$/m.exec(workflow) ?? [];
  const buf = `@bufbuild/buf@${devDependencies['@bufbuild/buf']}`;
  if (!command.includes(` ${buf} `)) throw new Error(`contract.yml does not install ${buf}: ${command}`);
  return command;
}
