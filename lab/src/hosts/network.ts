import { execFile, spawn } from 'node:child_process';
import { readlinkSync, realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The machine of this process: the customers, PostgreSQL and the DNS server. */
export const ownAddress = '10.77.0.1';
const prefixBits = 16;
const bridge = 'switch';
const ownMac = macOf(0);

/** A machine of its own: a network namespace with a cable to the switch. */
export interface Host {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Words before a command that runs on this host. */
  readonly enter: readonly [command: string, ...args: string[]];
  /** Drops all packets of the host, in both directions, silently. */
  cutOff(): Promise<void>;
  reconnect(): Promise<void>;
}

/**
 * Makes a switch in the network namespace of this process, and the hosts. Every host resolves names by the DNS server at
 * `ownAddress`.
 *
 * @param folder A folder for files, in a mount namespace of this process.
 */
export async function makeNetwork(
  folder: string,
  hosts: readonly Omit<Host, 'enter' | 'cutOff' | 'reconnect'>[],
): Promise<Host[]> {
  await resolveBy(ownAddress, folder);
  await ip('link', 'set', 'lo', 'up');
  await ip('link', 'add', bridge, 'address', ownMac, 'type', 'bridge');
  await ip('address', 'add', `${ownAddress}/${prefixBits}`, 'dev', bridge);
  await ip('link', 'set', bridge, 'up');
  const made: Host[] = [];
  for (const [index, host] of hosts.entries()) made.push(await makeHost(host, index + 1));
  for (const [index, { enter, addresses }] of made.entries()) {
    await neighbours([], bridge, addresses, macOf(index + 1));
    await neighbours(enter, 'eth0', [ownAddress], ownMac);
    for (const [other, each] of made.entries())
      if (other !== index) await neighbours(enter, 'eth0', each.addresses, macOf(other + 1));
  }
  return made;
}

async function makeHost(
  { name, addresses }: Pick<Host, 'name' | 'addresses'>,
  number: number,
): Promise<Host> {
  const port = `port-${number}`;
  const enter = ['nsenter', `--net=/proc/${await holdNamespace()}/ns/net`, '--'] as const;
  const [, namespace = ''] = /proc\/(\d+)/.exec(enter[1]) ?? [];
  await ip(
    'link',
    'add',
    port,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'address',
    macOf(number),
    'netns',
    namespace,
  );
  await ip('link', 'set', port, 'master', bridge, 'up');
  const onHost = (...args: string[]) => run(enter[0], [...enter.slice(1), 'ip', ...args]);
  await onHost('link', 'set', 'lo', 'up');
  for (const address of addresses) await onHost('address', 'add', `${address}/${prefixBits}`, 'dev', 'eth0');
  await onHost('link', 'set', 'eth0', 'up');
  return {
    name,
    addresses,
    enter,
    // The links stay up, so neither side notices.
    cutOff: () => ip('link', 'set', port, 'nomaster'),
    reconnect: () => ip('link', 'set', port, 'master', bridge),
  };
}

/** Starts a process that holds a network namespace until this one ends. Returns its id. */
async function holdNamespace(): Promise<number> {
  const { pid } = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
  if (pid === undefined) throw new Error('unshare cannot be started');
  const namespaceOf = (process: string) => readlinkSync(`/proc/${process}/ns/net`);
  while (namespaceOf(String(pid)) === namespaceOf('self')) await sleep(5);
  return pid;
}

/** A name that cannot be resolved to a MAC would be an error at once, instead of silence. */
async function neighbours(
  enter: readonly string[],
  device: string,
  addresses: readonly string[],
  mac: string,
): Promise<void> {
  const [command = 'ip', ...args] = [...enter, 'ip'];
  for (const address of addresses)
    await run(command, [
      ...args,
      'neighbour',
      'replace',
      address,
      'lladdr',
      mac,
      'dev',
      device,
      'nud',
      'permanent',
    ]);
}

/** Replaces the resolver's files, for the processes of this mount namespace only. */
async function resolveBy(nameserver: string, folder: string): Promise<void> {
  const files = { 'resolv.conf': `nameserver ${nameserver}\n`, 'nsswitch.conf': 'hosts: files dns\n' };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(`${folder}/${name}`, text, { mode: 0o644 });
    await run('mount', ['--bind', `${folder}/${name}`, realpathSync(`/etc/${name}`)]);
  }
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}

function macOf(number: number): string {
  return `02:00:00:00:00:0${number}`;
}
