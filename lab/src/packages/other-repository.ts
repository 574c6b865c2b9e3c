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

/** Folder of the contract: the input `folder` of the workflow. */
const contractFolder = 'api';

/** Imports a package, as a services.ts with policies in code does. */
const servicesFile = `import '@acme/rpc/contract';

export const services = [];
`;

/**
 * Runs the commands of `contract.yml` in a repository that has a contract in a folder: before and after a breaking change, and
 * with a services.ts.
 *
 * @param registry Variables with which npm uses the registry that has the packages.
 * @throws Error when a command fails before the change, or does not name it afterwards.
 */
export async function checkOtherRepository(registry: Readonly<Record<string, string>>): Promise<void> {
  const commands = await workflowCommands();
  await using repository = await openTemporaryFolder('other-repository-');
  const folder = join(repository.path, contractFolder);
  const run = (program: string, ...args: string[]) =>
    runIn(folder, { ...registry, GATE_VERSION: 'latest', CONTRACT_BASE: '' }, program, ...args);
  const runWorkflow = async () => {
    for (const command of commands) await run('bash', '-e', '-c', command);
  };
  const file = join(folder, 'proto/weather/v1/weather_service.proto');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, contract);
  await writeFile(join(folder, 'buf.yaml'), 'version: v2\nmodules:\n  - path: proto\n');
  await run('git', 'init', '--quiet', '--initial-branch=main', '..');
  await run('git', 'add', '.');
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
  await run('git', ...who, 'commit', '--quiet', '--message', 'Begin');
  await runWorkflow();

  await writeFile(file, contract.replace('celsius', 'degrees'));
  const report = await runWorkflow().then(String, (error: Error) => error.message);
  if (!/FAIL buf breaking/.test(report)) throw new Error(`the gate permits a renamed field:\n${report}`);
  await writeFile(file, contract);

  const manifest = { private: true, type: 'module', dependencies: { '@acme/rpc': 'latest' } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'services.ts'), servicesFile);
  await run('npm', 'install', '--package-lock-only', '--no-audit', '--no-fund');
  await runWorkflow();
}

/** Returns the commands of the workflow. They install the buf that this repository uses. */
async function workflowCommands(): Promise<string[]> {
  const workflow = await readFile(join(root, '.github/workflows/contract.yml'), 'utf8');
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const commands = [...workflow.matchAll(/^ +- run: (.+)$/gm)].map(([, command = '']) => command);
  const buf = `@bufbuild/buf@${devDependencies['@bufbuild/buf']}`;
  if (!commands.some((command) => command.includes(` ${buf} `)))
    throw new Error(`contract.yml does not install ${buf}: ${commands.join(', ')}`);
  return commands;
}
