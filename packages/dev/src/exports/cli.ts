export { parseCommandLine } from '../cli/command-line.ts';
export { fail } from '../cli/fail.ts';
export { interruptSignal } from '../cli/interrupt-signal.ts';
export { choice, decimal, flag, integer, integers, list, text, texts } from '../cli/option.ts';
export { reject } from '../cli/reject.ts';
export { runCommand } from '../cli/run-command.ts';
export { selectByName } from '../cli/select-by-name.ts';
export { takeCommandName } from '../cli/take-command-name.ts';
export { writeAtomically } from '../cli/write-atomically.ts';
