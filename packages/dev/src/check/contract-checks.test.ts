import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runCommand } from '../cli/run-command.ts';
import { root } from '../repository/paths.ts';
// For the programs of node_modules, which npm puts into PATH.
import './contract/testing/contract-copy.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const folder = mkdtempDisposableSync(join(tmpdir(), 'repository-'));
const service = 'proto/weather/v1/weather_service.proto';

/** A contract of a repository that knows nothing of this one, except for the rules of protovalidate. */
const contract = `syntax = "proto3";

package weather.v1;

import "buf/validate/validate.proto";

service WeatherService {
  rpc GetWeather(GetWeatherRequest) returns (GetWeatherResponse);
}

message GetWeatherRequest {
  string city = 1 [(buf.validate.field).string.max_len = 100];
}

message GetWeatherResponse {
  double celsius = 1;
}
`;

function git(...args: string[]): void {
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
  runCommand(folder.path, 'git', ...who, ...args);
}

/** Runs the checks in a folder of the repository, as `npx svc check --only contract`. */
function check(below = '.') {
  const program = join(root, 'packages/dev/src/svc.ts');
  const { CONTRACT_BASE: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'check', '--only', 'contract'], {
    cwd: join(folder.path, below),
    encoding: 'utf8',
    env,
  });
  return { status, output: `${stdout}${stderr}` };
}

function change(text: string, replacement: string): void {
  const file = join(folder.path, service);
  writeFileSync(file, readFileSync(file, 'utf8').replace(text, replacement));
}

beforeAll(() => {
  mkdirSync(join(folder.path, 'proto/weather/v1'), { recursive: true });
  writeFileSync(join(folder.path, service), contract);
  cpSync(join(root, 'packages/rpc/proto/buf'), join(folder.path, 'vendor/buf'), { recursive: true });
  writeFileSync(
    join(folder.path, 'buf.yaml'),
    'version: v2\nmodules:\n  - path: proto\n  - path: vendor\nlint:\n  ignore: [vendor]\nbreaking:\n  ignore: [vendor]\n',
  );
  git('init', '--quiet', '--initial-branch=trunk');
  git('add', '.');
  git('commit', '--quiet', '--message', 'Begin');
  git('branch', 'main');
});

afterAll(() => folder.remove());

test('the contract of a repository without services.ts and without policies is checked', () => {
  const { status, output } = check();
  expect(output.match(/^ok {3}[^(]*/gm)).toEqual([
    'ok   buf lint ',
    'ok   buf format ',
    'ok   buf breaking ',
    'ok   no tighter policy or rule ',
    'ok   a policy on every method ',
  ]);
  expect(status).toBe(0);
});

test('a breaking change and a tighter rule fail, in a folder of the repository too', () => {
  change('double celsius', 'double degrees');
  change('max_len = 100', 'max_len = 10');
  for (const below of ['.', 'proto/weather']) {
    const { status, output } = check(below);
    expect(output).toMatch(/FAIL buf breaking.*\nproto\/weather\/v1\/weather_service\.proto:16:/);
    expect(output).toContain(
      'proto/weather/v1/weather_service.proto:12: weather.v1.GetWeatherRequest.city: string.max_len 100 -> 10',
    );
    expect(status).toBe(1);
  }
});

test('a missing buf is an error that says how to install it', () => {
  const program = join(root, 'packages/dev/src/svc.ts');
  const { status, stderr } = spawnSync(process.execPath, [program, 'check', '--only', 'contract'], {
    cwd: folder.path,
    encoding: 'utf8',
    env: { PATH: '' },
  });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'buf is not installed, or not in PATH: npm install --save-dev @bufbuild/buf, and npx svc\n',
  });
});

test('a folder without a contract is an error', () => {
  using empty = mkdtempDisposableSync(join(tmpdir(), 'empty-'));
  const program = join(root, 'packages/dev/src/svc.ts');
  const { status, stderr } = spawnSync(process.execPath, [program, 'check', '--only', 'contract'], {
    cwd: empty.path,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'no buf.yaml in this folder or above: buf config init writes one\n',
  });
});
