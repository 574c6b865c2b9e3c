import { hasProcessorTimes } from './processor-time.ts';

/** Work of a turn. */
export interface Work {
  /** Number of calls or orders that have succeeded. */
  readonly count: number;
  readonly perSecond: number;
}

/** Work that takes turns with other work, and the processes whose processor time it costs. */
export interface Contender {
  readonly name: string;
  work(seconds: number): Promise<Work>;
  /** Readers of the processor time since their start, in ms, by process. */
  readonly processes: Readonly<Record<string, () => Promise<number>>>;
}

export interface Turn {
  readonly perSecond: number;
  /** Processor time of a call or an order, in µs, by process. NaN if the system does not say. */
  readonly cpuUs: Readonly<Record<string, number>>;
}

export interface TurnOptions {
  readonly turns: number;
  /** Duration of the work of one contender in a turn. */
  readonly seconds: number;
}

/**
 * Lets the contenders work in turn, prints each turn, and returns the turns of each. Every turn begins with another contender, so that other
 * load, and what one contender leaves behind, affects all of them equally.
 */
export async function alternate<Name extends string>(
  contenders: readonly (Contender & { readonly name: Name })[],
  { turns, seconds }: TurnOptions,
): Promise<ReadonlyMap<Name, readonly Turn[]>> {
  const measured = new Map(contenders.map(({ name }) => [name, [] as Turn[]]));
  for (let turn = 0; turn < turns; turn++) {
    const first = turn % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)])
      measured.get(contender.name)?.push(await measureTurn(contender, seconds));
    const figures = contenders.map(({ name }) => `${name} ${textOf(measured.get(name)?.at(-1))}`);
    process.stdout.write(`turn ${turn + 1}: ${figures.join(', ')}\n`);
  }
  return measured;
}

async function measureTurn({ work, processes }: Contender, seconds: number): Promise<Turn> {
  const before = await readAll(processes);
  const { count, perSecond } = await work(seconds);
  const after = await readAll(processes);
  const cpuUs = Object.entries(after).map(([name, ms]) => [
    name,
    (1000 * (ms - (before[name] ?? Number.NaN))) / count,
  ]);
  return { perSecond, cpuUs: Object.fromEntries(cpuUs) };
}

async function readAll(processes: Contender['processes']): Promise<Record<string, number>> {
  const read = Object.entries(processes).map(
    async ([name, readMs]) => [name, hasProcessorTimes ? await readMs() : Number.NaN] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

/** Returns the processor time of a call or an order in all processes together, in µs. */
export function totalUs({ cpuUs }: Turn): number {
  return Object.values(cpuUs).reduce((sum, us) => sum + us, 0);
}

function textOf(turn: Turn | undefined): string {
  if (!turn) return '';
  const us = totalUs(turn);
  return `${turn.perSecond.toFixed(0)}/s${Number.isNaN(us) ? '' : ` ${us.toFixed(0)} µs`}`;
}
