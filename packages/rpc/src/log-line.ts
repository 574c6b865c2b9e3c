import { type Logger, pino } from 'pino';

const { symbols } = pino;

type Fields = Readonly<Record<string, unknown>>;
type MakeLine = (fields: Fields, message: unknown, level: number, time: string) => string;

/** A logger by the symbols that pino exports. */
interface LineMaker {
  [symbols.asJsonSym]: MakeLine;
  /** The bindings, and the beginning of a line by its level, as JSON that is not closed. */
  readonly [symbols.chindingsSym]: string;
  readonly [symbols.lsCacheSym]: Readonly<Record<number, string>>;
}

const flatTypes = new Set(['string', 'number', 'boolean', 'undefined']);

/**
 * Makes the lines of the logger and its children, of flat fields such as those of every call, by one JSON.stringify. pino
 * has one for each key and each value, which takes longer than all else that is done for the line. Lines with other
 * values, or with fields that have a serializer, are pino's own.
 */
export function makeFlatLinesQuickly(log: Logger, serializers: Readonly<Record<string, unknown>>): void {
  const maker = log as unknown as LineMaker;
  const slowly = maker[symbols.asJsonSym];
  const isFlat = (fields: Fields) => {
    for (const key in fields) if (!flatTypes.has(typeof fields[key]) || key in serializers) return false;
    return true;
  };
  // The logger is `this`: a child, too.
  maker[symbols.asJsonSym] = function (this: LineMaker, fields, message, level, time) {
    if (typeof message !== 'string' || !isFlat(fields))
      return slowly.call(this, fields, message, level, time);
    const written = JSON.stringify(fields);
    const between = written === '{}' ? '' : `,${written.slice(1, -1)}`;
    return `${this[symbols.lsCacheSym][level]}${time}${this[symbols.chindingsSym]}${between},"msg":${JSON.stringify(message)}}\n`;
  };
}
