import { type Logger, pino } from 'pino';

/**
 * The private parts of pino that the log uses. pino has no public way to read the bindings of a logger without parsing
 * them, or to limit those of a child: `formatters.bindings` does not apply to children. `pino-internals.test.ts` fails
 * when an upgrade changes one of these parts.
 */

/** Returns the bindings of a logger as JSON members with a leading comma, which pino serialized when it was created. */
export function bindingsJson(log: Logger): string {
  return (log as unknown as Readonly<Record<symbol, string>>)[pino.symbols.chindingsSym] ?? '';
}

/**
 * Passes all bindings that are added to the logger and its descendants through `transform`. pino children inherit from
 * their parent, and so the replaced methods.
 */
export function transformBindings(log: Logger, transform: (bindings: unknown) => object): void {
  const { child, setBindings } = log;
  log.child = function (this: Logger, bindings: object, options?: never) {
    return child.call(this, transform(bindings), options);
  } as typeof log.child;
  log.setBindings = function (this: Logger, bindings: object) {
    setBindings.call(this, transform(bindings));
  };
}
