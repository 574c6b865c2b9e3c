import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createMessageReader, textsOf } from './postgres-messages.ts';

/** A statement on its way to the database, or its answer on the way back, which the proxy holds. */
export interface Held {
  readonly phase: Phase;
  /** The name it was prepared under, or its SQL when it has none. */
  readonly statement: string;
  /** Of an answer: what the database says was done, as `UPDATE 3`; empty for an error. */
  readonly tag: string;
  /** Lets it go on its way. What is never forwarded never arrives, nor does anything after it. */
  forward(): void;
  /** Resets the connection on the client's side. The database sees it end, after what was forwarded. */
  sever(): void;
}

/** `request` is a statement that arrives, `answer` all of what the database says to it. */
export type Phase = 'request' | 'answer';

export interface TrapOptions {
  readonly phase: Phase;
  /** The prepared statement's name, or what its SQL looks like. */
  readonly statement: string | RegExp;
  /** What the answer's tag looks like; any when absent. */
  readonly tag?: RegExp;
  /** How many to let pass first; none when absent. */
  readonly skip?: number;
  /** What happens to it then. */
  readonly act: (held: Held) => void | Promise<void>;
}

export interface PostgresProxy extends AsyncDisposable {
  readonly port: number;
  /** Waits for one statement, and does with it what `act` does. Resolves when that is done. */
  trap(options: TrapOptions): Promise<void>;
  /** Forgets the traps that have not caught anything, whose promises reject, and waits for those that have. */
  disarm(): Promise<void>;
}

interface Trap {
  readonly options: TrapOptions;
  left: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * A proxy between a service and its database that knows which statement passes, so that a harness can end, cut or
 * delay just there. It gathers what belongs to a statement (up to Sync) and to its answer (up to ReadyForQuery).
 */
export async function startPostgresProxy(target: { host: string; port: number }): Promise<PostgresProxy> {
  const traps = new Set<Trap>();
  const underWay = new Set<Promise<void>>();
  const sockets = new Set<Socket>();
  const hold = async (held: Held) => {
    const trap = [...traps].find(({ options }) => isFor(options, held));
    if (!trap) return held.forward();
    trap.left -= 1;
    if (trap.left >= 0) return held.forward();
    traps.delete(trap);
    const acting = Promise.try(trap.options.act, held).then(trap.done.resolve, trap.done.reject);
    underWay.add(acting);
    await acting;
    underWay.delete(acting);
  };
  const server = createServer({ noDelay: true }, (client) => {
    const database = connect({ ...target, noDelay: true });
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    join(client, database, hold);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const disarm = async () => {
    for (const { done, options } of traps)
      done.reject(new Error(`no ${options.phase} of ${options.statement} passed`));
    traps.clear();
    await Promise.all(underWay);
  };
  return {
    port: (server.address() as AddressInfo).port,
    trap: (options) => {
      const trap = { options, left: options.skip ?? 0, done: Promise.withResolvers<void>() };
      traps.add(trap);
      return trap.done.promise;
    },
    disarm,
    [Symbol.asyncDispose]: async () => {
      await disarm();
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

function isFor({ phase, statement, tag = /^/ }: TrapOptions, held: Held): boolean {
  const isNamed =
    typeof statement === 'string' ? statement === held.statement : statement.test(held.statement);
  return isNamed && phase === held.phase && tag.test(held.tag);
}

/** Carries messages both ways, whole statements and whole answers past `hold`, each way in its order. */
function join(client: Socket, database: Socket, hold: (held: Held) => Promise<void>): void {
  /** Statements that the database has and has not answered. */
  const unanswered: string[] = [];
  const lanes = { request: Promise.resolve(), answer: Promise.resolve() };
  let isCut = false;
  const sever = () => {
    isCut = true;
    client.resetAndDestroy();
    database.end();
  };
  const offer = (phase: Phase, statement: string, tag: string, pass: () => void) => {
    const step = async () => {
      if (isCut) return;
      let isForwarded = false;
      const forward = () => {
        if (isForwarded) return;
        isForwarded = true;
        pass();
      };
      await hold({ phase, statement, tag, forward, sever });
      // A hole in the stream would be no fault of a network.
      if (!isForwarded) isCut = true;
    };
    lanes[phase] = lanes[phase].then(step);
  };

  const readRequests = createMessageReader('client');
  let request: Buffer[] = [];
  let sql = '';
  let statement = '';
  client.on('data', (bytes: Buffer) => {
    for (const message of readRequests(bytes)) {
      request.push(message.bytes);
      if (message.type === 'P') [, sql = ''] = textsOf(message, 2);
      if (message.type === 'B') statement = textsOf(message, 2)[1] || sql;
      if (message.type === 'Q') [statement = ''] = textsOf(message, 1);
      const whole = Buffer.concat(request);
      const name = statement;
      if (message.type === 'Q' || message.type === 'S')
        offer('request', name, '', () => {
          unanswered.push(name);
          database.write(whole);
        });
      // The start-up message, a password, the end.
      else if (['', 'p', 'X'].includes(message.type)) database.write(whole);
      else continue;
      request = [];
    }
  });

  const readAnswers = createMessageReader('server');
  let answer: Buffer[] = [];
  let tag = '';
  database.on('data', (bytes: Buffer) => {
    for (const message of readAnswers(bytes)) {
      answer.push(message.bytes);
      if (message.type === 'C') [tag = ''] = textsOf(message, 1);
      if (unanswered.length > 0 && message.type !== 'Z') continue;
      const whole = Buffer.concat(answer);
      // What the database says unasked is not held: the log-in, notifications, its farewell.
      offer('answer', unanswered.shift() ?? '', tag, () => client.write(whole));
      answer = [];
      tag = '';
    }
  });
  database.on('end', () => {
    const rest = Buffer.concat(answer);
    lanes.answer.then(() => client.end(rest));
  });
  client.on('end', () => database.end());
  client.on('close', () => database.end());
  database.on('close', () => lanes.answer.then(() => client.destroySoon()));
}
