import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createMessageReader, textsOf } from './postgres-messages.ts';

/** A statement on its way to the database, or its response on the way back, held by the proxy. */
export interface HeldMessage {
  readonly phase: Phase;
  /** The name of the prepared statement, or the SQL of an unnamed one. */
  readonly statement: string;
  /** The command tag of a response, for example `UPDATE 3`. Empty for an error. */
  readonly tag: string;
  /** Forwards the message. If it is never forwarded, neither is any later message of the connection. */
  forward(): void;
  /** Resets the connection to the client. To the database, the connection ends after the last forwarded message. */
  sever(): void;
}

/** `request` is a statement, `response` everything that the database sends for it. */
export type Phase = 'request' | 'response';

export interface TrapOptions {
  readonly phase: Phase;
  /** The name of the prepared statement, or a pattern of its SQL. */
  readonly statement: string | RegExp;
  /** Pattern of the command tag. Matches every tag by default. */
  readonly tag?: RegExp;
  /** Number of matching messages to forward first. Default 0. */
  readonly skip?: number;
  /** Called with the message that was caught. */
  readonly act: (held: HeldMessage) => void | Promise<void>;
}

export interface PostgresProxy extends AsyncDisposable {
  readonly port: number;
  /** Catches one statement and calls `act`. Resolves when `act` has. */
  trap(options: TrapOptions): Promise<void>;
  /** Removes the traps that caught nothing, whose promises reject, and waits for the others. */
  disarm(): Promise<void>;
}

interface Trap {
  readonly options: TrapOptions;
  /** Matching messages still to be skipped. */
  left: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Starts a proxy between a service and its database that recognises statements, so that a test can kill the process,
 * sever the connection or delay exactly there. It buffers a statement up to Sync and a response up to ReadyForQuery.
 */
export async function startPostgresProxy(target: { host: string; port: number }): Promise<PostgresProxy> {
  const traps = new Set<Trap>();
  const underWay = new Set<Promise<void>>();
  const sockets = new Set<Socket>();
  const hold = async (held: HeldMessage) => {
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

function isFor({ phase, statement, tag = /^/ }: TrapOptions, held: HeldMessage): boolean {
  const isNamed =
    typeof statement === 'string' ? statement === held.statement : statement.test(held.statement);
  return isNamed && phase === held.phase && tag.test(held.tag);
}

/** Forwards messages in both directions, in order. Whole statements and whole responses pass through `hold`. */
function join(client: Socket, database: Socket, hold: (held: HeldMessage) => Promise<void>): void {
  /** Statements forwarded to the database that have no response yet. */
  const unanswered: string[] = [];
  const lanes = { request: Promise.resolve(), response: Promise.resolve() };
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
      // No network drops bytes from the middle of a TCP stream.
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
      // The start-up message, a password, or Terminate.
      else if (['', 'p', 'X'].includes(message.type)) database.write(whole);
      else continue;
      request = [];
    }
  });

  const readResponses = createMessageReader('server');
  let response: Buffer[] = [];
  let tag = '';
  database.on('data', (bytes: Buffer) => {
    for (const message of readResponses(bytes)) {
      response.push(message.bytes);
      if (message.type === 'C') [tag = ''] = textsOf(message, 1);
      if (unanswered.length > 0 && message.type !== 'Z') continue;
      const whole = Buffer.concat(response);
      // Messages that belong to no statement (log-in, notifications, shutdown) are offered without a name.
      offer('response', unanswered.shift() ?? '', tag, () => client.write(whole));
      response = [];
      tag = '';
    }
  });
  database.on('end', () => {
    const rest = Buffer.concat(response);
    lanes.response.then(() => client.end(rest));
  });
  client.on('end', () => database.end());
  client.on('close', () => database.end());
  database.on('close', () => lanes.response.then(() => client.destroySoon()));
}
