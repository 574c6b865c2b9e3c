export { parseCommandLine } from '../cli/arguments/command-line.ts';
export {
  choice,
  decimal,
  flag,
  integer,
  integers,
  list,
  requiredText,
  text,
  texts,
} from '../cli/arguments/option.ts';
export { selectByName } from '../cli/arguments/select-by-name.ts';
export { takeCommandName } from '../cli/arguments/take-command-name.ts';
export { errorText, fail } from '../cli/fail.ts';
export { interruptSignal } from '../cli/interrupt-signal.ts';
export { reject } from '../cli/reject.ts';
export { runCommand } from '../cli/run-command.ts';
export { writeAtomically } from '../cli/write-atomically.ts';
