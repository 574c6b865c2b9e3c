import type { ConsoleEntry } from '@acme/dev/services';

/**
 * The page about the services, for `npm start`. Its code is loaded when it is opened.
 *
 * @public
 */
export const console: ConsoleEntry = {
  port: 8050,
  open: async (options) => (await import('./open-console.ts')).openConsole(options),
};
