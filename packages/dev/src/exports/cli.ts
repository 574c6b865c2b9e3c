export { fail } from '../cli/fail.ts';
export { interruptSignal } from '../cli/interrupt-signal.ts';
export { runCommand } from '../cli/run-command.ts';
export { selectByName } from '../cli/select-by-name.ts';
export { writeAtomically } from '../cli/write-atomically.ts';
