/**
 * Prints the steps of `.ci/run` that failed, with the lines of their output that say why, then the sums of what passed and failed. Exits
 * with 1 if a step failed. Its argument is the folder with the results.
 *
 * It comes last in the output, because some CI systems keep only the end. Runs on any Node that npm runs on.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Maximum number of lines of a step. */
const maxLines = 20;
/** Maximum length of a line. */
const maxColumns = 240;
/** Lines after that of a failure, which say why. */
const linesOfReason = 3;

const say = (line) => process.stdout.write(`${line}\n`);
const folder = process.argv[2] ?? '.';
const steps = readdirSync(folder)
  .filter((file) => file.endsWith('.step'))
  .sort()
  .map((file) => readStep(join(folder, file)));
const failedSteps = steps.filter(({ failed }) => failed > 0);
if (failedSteps.length > 0) say('\nfailed:');
for (const { command, code, failed, reasons } of failedSteps) {
  say(`${command}: ${failed} failed, exit code ${code}`);
  for (const line of reasons.slice(0, maxLines)) say(`  ${line.slice(0, maxColumns)}`);
  if (reasons.length > maxLines) say(`  and ${reasons.length - maxLines} lines more`);
}
const [passed, failed] = [sum(steps.map((step) => step.passed)), sum(steps.map((step) => step.failed))];
say(`\n${passed} passed, ${failed} failed`);
process.exitCode = failedSteps.length > 0 ? 1 : 0;

/** Reads the result of a step from its files. */
function readStep(file) {
  const [code, command] = readFileSync(file, 'utf8').split('\n');
  const output = stripVTControlCharacters(readFileSync(file.replace(/step$/, 'output'), 'utf8'));
  const counts = command.startsWith('npm test ') ? countsOfTests() : countsOfVerdicts(output);
  // A failure outside of every test and check is in neither count.
  const failed = code !== '0' && counts.failed === 0 ? 1 : counts.failed;
  const reasons = counts.reasons?.length > 0 ? counts.reasons : reasonsIn(output);
  return { command: command.replace(/ -- --reporter.*/, ''), code, passed: counts.passed, failed, reasons };
}

/** Reads the report of vitest. There is none if vitest did not get that far. */
function countsOfTests() {
  const file = join(folder, 'tests.json');
  if (!existsSync(file)) return { passed: 0, failed: 0 };
  const {
    numPassedTests: passed,
    numFailedTests: failed,
    testResults,
  } = JSON.parse(readFileSync(file, 'utf8'));
  const reasons = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const path = relative('.', name);
    const tests = assertionResults.filter((test) => test.status === 'failed');
    if (status === 'failed' && tests.length === 0) return [`${path}: ${firstLine(message)}`];
    return tests.map(
      ({ fullName, failureMessages }) => `${path}: ${fullName}: ${firstLine(failureMessages[0])}`,
    );
  });
  return { passed, failed, reasons };
}

function countsOfVerdicts(output) {
  const verdicts = [...output.matchAll(/^[\w ]+: (\d+) passed, (\d+) failed$/gm)];
  return {
    passed: sum(verdicts.map(([, passed]) => Number(passed))),
    failed: sum(verdicts.map(([, , failed]) => Number(failed))),
  };
}

/** Returns the lines that report a failure, each with a few that follow it, or else the last lines. */
function reasonsIn(output) {
  const lines = output
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^npm (error|warn|notice)/i.test(line));
  let left = 0;
  const reasons = lines.filter((line) => {
    if (/^\s*(FAIL|not ok|✗|×)/.test(line)) left = 1 + linesOfReason;
    else if (/^\s*(ok|PASS|skip|✓) |: \d+ passed, \d+ failed$/.test(line)) left = 0;
    return left-- > 0;
  });
  return reasons.length > 0 ? [...new Set(reasons)] : lines.slice(-maxLines);
}

function firstLine(text = '') {
  return stripVTControlCharacters(text).trim().split('\n')[0];
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
