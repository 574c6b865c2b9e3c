/**
 * Runs two public conformance suites against the public API of @acme/rpc, and the first of them against grpc-js alone. Fails
 * if a case fails that is not in `known-failures.ts`, if one of those passes, or if docs/conformance.md differs from the
 * results.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, flag, parseCommandLine } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import {
  conformanceDocument,
  conformanceFile,
  type Figures,
  type RunFigures,
  yardsticksOf,
} from './conformance-document.ts';
import { installGoTools } from './go-tools.ts';
import { type InteropResult, runClientCases, runServerCases } from './interop/run-interop.ts';
import { knownFailuresOf, type Run } from './known-failures.ts';
import { runSuite, type SuiteResult } from './suite/run-suite.ts';

interface Judged {
  readonly figures: RunFigures;
  readonly problems: readonly string[];
}

/** Cases by which the yardstick may differ between runs: those in which grpc-js loses responses. */
const yardstickTolerance = 10;

const { values } = parseCommandLine({
  call: 'npm run test:conformance',
  summary: 'Runs two public gRPC suites against @acme/rpc and grpc-js. Needs Go.',
  options: { write: flag('writes docs/conformance.md') },
});
const say = (text: string) => process.stdout.write(`${text}\n`);

try {
  const tools = installGoTools();
  // One after the other: each starts processes of its own.
  const judgements: Record<Run, Judged> = {
    'suite server': await judgeSuite(tools.conformance, 'server'),
    'suite web server': await judgeWebServer(tools.conformance),
    'suite client': await judgeSuite(tools.conformance, 'client'),
    'interop server': judgeInterop('interop server', await runServerCases(tools.interopClient)),
    'interop client': judgeInterop('interop client', await runClientCases(tools.interopServer)),
  };
  let [passed, failed] = [0, 0];
  for (const [run, { figures, problems }] of Object.entries(judgements)) {
    passed += figures.passed;
    failed += problems.length;
    const yardstick = figures.yardstick === undefined ? '' : ` (grpc-js alone: ${figures.yardstick})`;
    say(`${problems.length > 0 ? 'FAIL' : 'ok  '} ${run}: ${figures.passed} of ${figures.cases}${yardstick}`);
    for (const problem of problems) say(problem.replaceAll(/^/gm, '     '));
  }
  failed += checkPage(judgements, values.write) ? 0 : 1;
  say(`conformance: ${passed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
} catch (error) {
  fail(error);
}

async function judgeSuite(tool: string, side: 'server' | 'client'): Promise<Judged> {
  const knownFailing = knownFailuresOf(`suite ${side}`).map(({ cases }) => cases);
  const kit = await runSuite({ tool, side, program: `kit-${side}.ts`, knownFailing });
  const grpcJs = await runSuite({ tool, side, program: `grpc-js-${side}.ts` });
  return judged(kit, grpcJs.passed);
}

/** The web port has no yardstick: grpc-js serves neither Connect nor gRPC-Web. */
async function judgeWebServer(tool: string): Promise<Judged> {
  const knownFailing = knownFailuresOf('suite web server').map(({ cases }) => cases);
  const options = { tool, side: 'server', features: 'features-web.yaml', program: 'kit-server.ts' } as const;
  return judged(await runSuite({ ...options, knownFailing }), undefined);
}

function judged({ passed, expected, unexpected }: SuiteResult, yardstick: number | undefined): Judged {
  return {
    figures: { cases: passed + expected + unexpected.length, passed, yardstick },
    problems: unexpected,
  };
}

function judgeInterop(run: Run, results: InteropResult): Judged {
  const known = new Set(knownFailuresOf(run).map(({ cases }) => cases));
  const problems: string[] = [];
  let passed = 0;
  for (const [name, reason] of results) {
    if (reason === undefined) passed++;
    if (reason === undefined && known.has(name)) problems.push(`${name} was expected to fail but did not`);
    if (reason !== undefined && !known.has(name)) problems.push(`${name}: ${reason}`);
  }
  return { figures: { cases: results.size, passed, yardstick: undefined }, problems };
}

/** Writes the page, or returns whether it is that of these results. */
function checkPage(judged: Record<Run, Judged>, write: boolean): boolean {
  const path = join(root, conformanceFile);
  const measured = Object.fromEntries(
    Object.entries(judged).map(([run, { figures }]) => [run, figures]),
  ) as Figures;
  if (write) {
    writeFileSync(path, conformanceDocument(measured));
    return true;
  }
  const page = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (page === conformanceDocument(withStatedYardstick(measured, page))) return true;
  say(`FAIL ${conformanceFile} differs from these results: npm run test:conformance -- --write`);
  return false;
}

function withStatedYardstick(measured: Figures, page: string): Figures {
  const stated = yardsticksOf(page);
  const figures = Object.entries(measured).map(([run, each]: [string, RunFigures]) => {
    const yardstick = stated.get(run as Run);
    const isClose =
      yardstick !== undefined &&
      each.yardstick !== undefined &&
      Math.abs(yardstick - each.yardstick) <= yardstickTolerance;
    return [run, isClose ? { ...each, yardstick } : each];
  });
  return Object.fromEntries(figures);
}
