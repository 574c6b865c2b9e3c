import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** Outcome of the suite for one program. */
export interface SuiteResult {
  readonly passed: number;
  /** Number of cases that failed as expected. */
  readonly expected: number;
  /** A text for each case that failed and was not expected to, or passed and was. */
  readonly unexpected: readonly string[];
}

interface SuiteRun {
  /** Path of connectconformance. */
  readonly tool: string;
  readonly side: 'server' | 'client';
  /** File of the features to test, in this folder. Default: those of gRPC. */
  readonly features?: string;
  /** File of the program under test, in this folder. */
  readonly program: string;
  /** Patterns of the cases that must fail. */
  readonly knownFailing?: readonly string[];
}

/** Sized for two processors: the suite's own servers and clients run at the same time. */
const parallel = { servers: '2', calls: '4' };

/** Runs the Connect conformance suite against a program. Throws the suite's text if the suite cannot be run. */
export async function runSuite({
  tool,
  side,
  features = 'features.yaml',
  program,
  knownFailing = [],
}: SuiteRun): Promise<SuiteResult> {
  const fileIn = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const suite = spawn(
    tool,
    [
      ...['--mode', side, '--conf', fileIn(features), '--max-servers', parallel.servers],
      ...(side === 'server' ? ['--parallel', parallel.calls] : []),
      ...knownFailing.flatMap((pattern) => ['--known-failing', pattern]),
      ...['--', process.execPath, fileIn(program)],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const [output, errors] = await Promise.all([text(suite.stdout), text(suite.stderr)]);
  return readReport(output + errors);
}

/** Reads the suite's report. */
export function readReport(report: string): SuiteResult {
  const [, passed] = /^(\d+) passed, \d+ failed$/m.exec(report) ?? [];
  if (passed === undefined) throw new Error(`the conformance suite did not finish:\n${report.slice(-2000)}`);
  const [, notRun] = /^Another (\d+) could not be run/m.exec(report) ?? [];
  const expected = report.match(/^INFO: .* failed \(as expected\):$/gm) ?? [];
  // Up to the next case: the reason takes some indented lines.
  const unexpected = report.matchAll(/^FAILED: (.*\n(?:[\t ].*\n|\n(?=[\t ]))*)/gm);
  return {
    passed: Number(passed),
    expected: expected.length,
    unexpected: [
      ...Array.from(unexpected, ([, failure = '']) => failure.trim()),
      ...(notRun === undefined ? [] : [`${notRun} cases could not be run`]),
    ],
  };
}
