import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { goEnvironment } from '../harness/go-environment.ts';

const conformanceVersion = 'v1.0.7'; // renovate: datasource=go depName=connectrpc.com/conformance
const grpcVersion = 'v1.85.0'; // renovate: datasource=go depName=google.golang.org/grpc

/** The programs of the suites, by the package that `go install` builds. */
const packages = {
  conformance: `connectrpc.com/conformance/cmd/connectconformance@${conformanceVersion}`,
  interopClient: `google.golang.org/grpc/interop/client@${grpcVersion}`,
  interopServer: `google.golang.org/grpc/interop/server@${grpcVersion}`,
};

export type GoTools = Readonly<Record<keyof typeof packages, string>>;

/**
 * Builds the suites' programs, unless an earlier run has, and returns the path of each. They are kept outside of the
 * repository. The Go checksum database vouches for the versions.
 *
 * @throws Error in one line when Go is missing or a program cannot be built.
 */
export function installGoTools(): GoTools {
  const env = goEnvironment();
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'saturday', `conformance-${conformanceVersion}-grpc-${grpcVersion}`);
  mkdirSync(folder, { recursive: true });
  const paths = Object.entries(packages).map(([name, source]) => {
    const program = join(folder, name);
    if (!existsSync(program)) build(source, program, env);
    return [name, program];
  });
  return Object.fromEntries(paths);
}

function build(source: string, program: string, env: NodeJS.ProcessEnv): void {
  process.stdout.write(`building ${source}\n`);
  const bin = join(dirname(program), 'bin');
  const { status, stderr } = spawnSync('go', ['install', source], {
    env: { ...env, GOBIN: bin },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`go install ${source} failed: ${stderr.trim().split('\n').at(-1)}`);
  // Two packages have programs of the same name.
  const [name = ''] = source.split('@')[0]?.split('/').slice(-1) ?? [];
  renameSync(join(bin, name), program);
}
