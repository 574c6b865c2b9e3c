import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorText } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';

/**
 * Makes the process report a failure outside of its steps, as in their set-up, in one line instead of a stack trace: what failed, in
 * which file, and the command to repeat. The output of a failed command follows. The failure counts as a failed step, in a line as
 * `runSteps` prints it, and the exit code is 1.
 *
 * @param name `clients`
 * @param call `npm run test:clients`
 */
export function reportSetUpFailure(name: string, call: string): void {
  process.once('uncaughtException', (error) => {
    const [first = '', ...rest] = errorText(error).trimEnd().split('\n');
    process.stdout.write(
      [
        `FAIL set-up of ${name}: ${first} (${placeOf(error)}). Correct it, then repeat: ${call}`,
        ...rest,
        `${name}: 0 passed, 1 failed\n`,
      ].join('\n'),
    );
    process.exit(1);
  });
}

/** Returns the file and line of the repository that an error comes from, if possible in the file of the command. */
function placeOf(error: unknown): string {
  const frames = String((error as Partial<Error> | null)?.stack).matchAll(/file:\/\/[^\s)]+?:\d+(?=:\d+)/g);
  const places = [...frames].map(([place]) => fileURLToPath(place));
  const own = places.filter((place) => place.startsWith(root) && !place.includes('node_modules'));
  const place = own.find((each) => each.startsWith(process.argv[1] ?? '')) ?? own[0];
  return place ? relative(root, place) : 'outside of the repository';
}
