import { hasProcessorTimes } from './processor-time.ts';

/** Work of a turn. */
export interface Work {
  /** Number of calls or orders that have succeeded. */
  readonly count: number;
  readonly perSecond: number;
}

/** Work that takes turns with other work, and the processes whose processor time it costs. */
export interface Contender<Name extends string, Done extends Work> {
  readonly name: Name;
  work(seconds: number): Promise<Done>;
  /** Readers of the processor time since their start, in ms, by process. */
  readonly processes: Processes;
}

export type Processes = Readonly<Record<string, () => Promise<number>>>;

/** The work of a turn, and its cost. */
export type Turn<Done extends Work = Work> = Done & {
  /** Processor time of a call or an order, in µs, by process. NaN if the system does not say. */
  readonly cpuUs: Readonly<Record<string, number>>;
};

/** The turns of each contender, by its name. */
export type Turns<Name extends string, Done extends Work = Work> = ReadonlyMap<Name, readonly Turn<Done>[]>;

export interface TurnOptions<Done extends Work> {
  readonly turns: number;
  /** Duration of the work of one contender in a turn. */
  readonly seconds: number;
  /** Formats a turn. Default: its rate and its processor time. */
  readonly show?: (turn: Done) => string;
}

/** Number of calls until V8 has compiled the hot functions. */
const warmUpCalls = 40_000;
const warmUpMs = 15_000;

/** Lets each contender make calls until its hot functions are compiled, or for 15 s. */
export async function warmUp(contenders: readonly Pick<Contender<string, Work>, 'work'>[]): Promise<void> {
  for (const { work } of contenders) {
    const endMs = performance.now() + warmUpMs;
    for (let calls = 0; calls < warmUpCalls && performance.now() < endMs; ) calls += (await work(1)).count;
  }
}

/**
 * Lets the contenders work in turn, prints each turn, and returns the turns of each. Every turn begins with another
 * contender, so that other load, and what one contender leaves behind, affects all of them equally.
 */
export async function alternate<Name extends string, Done extends Work>(
  contenders: readonly Contender<Name, Done>[],
  { turns, seconds, show = textOf }: TurnOptions<Turn<Done>>,
): Promise<Turns<Name, Done>> {
  const measured = new Map(contenders.map(({ name }) => [name, [] as Turn<Done>[]]));
  for (let turn = 0; turn < turns; turn++) {
    const first = turn % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)])
      measured.get(contender.name)?.push(await measureTurn(contender, seconds));
    const figures = contenders.map(({ name }) => {
      const last = measured.get(name)?.at(-1);
      return last ? `${name} ${show(last)}` : '';
    });
    process.stdout.write(`turn ${turn + 1}: ${figures.join(', ')}\n`);
  }
  return measured;
}

async function measureTurn<Done extends Work>(
  { work, processes }: Contender<string, Done>,
  seconds: number,
): Promise<Turn<Done>> {
  const before = await readAll(processes);
  const done = await work(seconds);
  const after = await readAll(processes);
  const cpuUs = Object.entries(after).map(([name, ms]) => [
    name,
    (1000 * (ms - (before[name] ?? Number.NaN))) / done.count,
  ]);
  return { ...done, cpuUs: Object.fromEntries(cpuUs) };
}

async function readAll(processes: Processes): Promise<Record<string, number>> {
  const read = Object.entries(processes).map(
    async ([name, readMs]) => [name, hasProcessorTimes ? await readMs() : Number.NaN] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

/** Returns the processor time of a call or an order in all processes together, in µs. */
export function totalUs({ cpuUs }: Turn): number {
  return Object.values(cpuUs).reduce((sum, us) => sum + us, 0);
}

function textOf(turn: Turn): string {
  const us = totalUs(turn);
  return `${turn.perSecond.toFixed(0)}/s${Number.isNaN(us) ? '' : ` ${us.toFixed(0)} µs`}`;
}
