import { execFile, spawn } from 'node:child_process';
import { existsSync, readlinkSync, realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** The machine of this process: the customers, PostgreSQL and the DNS server. */
export const ownAddress = '10.77.0.1';
const prefixBits = 16;
const bridge = 'switch';

/** A machine of its own: a network namespace with a cable to the switch. */
export interface Host {
  readonly addresses: readonly string[];
  /** Words before a command that runs on this host. */
  readonly enter: readonly [command: string, ...args: string[]];
  /** Drops all packets of the host, in both directions, silently. */
  cutOff(): Promise<void>;
  reconnect(): Promise<void>;
}

/**
 * Makes a switch in the network namespace of this process, and two hosts with these addresses. They resolve names by the DNS
 * server at `ownAddress`.
 *
 * @param folder A folder for files, in a mount namespace of this process.
 */
export async function makeNetwork(
  folder: string,
  [one, two]: readonly [readonly string[], readonly string[]],
): Promise<[Host, Host]> {
  await resolveBy(ownAddress, folder);
  await run('ip link set lo up');
  await run(`ip link add ${bridge} address ${macOf(0)} type bridge`);
  await run(`ip address add ${ownAddress}/${prefixBits} dev ${bridge}`);
  await run(`ip link set ${bridge} up`);
  const hosts: [Host, Host] = [await makeHost(one, 1), await makeHost(two, 2)];
  await setNeighbours('', bridge, one, 1);
  await setNeighbours('', bridge, two, 2);
  for (const [index, { enter }] of hosts.entries()) {
    await setNeighbours(enter.join(' '), 'eth0', [ownAddress], 0);
    await setNeighbours(enter.join(' '), 'eth0', index === 0 ? two : one, index === 0 ? 2 : 1);
  }
  return hosts;
}

async function makeHost(addresses: readonly string[], number: number): Promise<Host> {
  const port = `port-${number}`;
  const holder = await holdNamespace();
  const enter = ['nsenter', `--net=/proc/${holder}/ns/net`, '--'] as const;
  const runInside = (command: string) => run(`${enter.join(' ')} ${command}`);
  await run(`ip link add ${port} type veth peer name eth0 address ${macOf(number)} netns ${holder}`);
  await run(`ip link set ${port} master ${bridge} up`);
  await runInside('ip link set lo up');
  for (const address of addresses) await runInside(`ip address add ${address}/${prefixBits} dev eth0`);
  await runInside('ip link set eth0 up');
  return {
    addresses,
    enter,
    // The links stay up, so neither side notices.
    cutOff: () => run(`ip link set ${port} nomaster`),
    reconnect: () => run(`ip link set ${port} master ${bridge}`),
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

/** Sets the MAC of addresses. On a network that is cut, the search for one would end with an error instead of silence. */
async function setNeighbours(
  enter: string,
  device: string,
  addresses: readonly string[],
  number: number,
): Promise<void> {
  for (const address of addresses)
    await run(`${enter} ip neighbour replace ${address} lladdr ${macOf(number)} dev ${device} nud permanent`);
}

/** Replaces the resolver's files, for the processes of this mount namespace only. */
async function resolveBy(nameserver: string, folder: string): Promise<void> {
  const files = { 'resolv.conf': `nameserver ${nameserver}\n`, 'nsswitch.conf': 'hosts: files dns\n' };
  for (const [name, text] of Object.entries(files)) {
    // An image may have no nsswitch.conf. The default is the same.
    if (!existsSync(`/etc/${name}`)) continue;
    await writeFile(`${folder}/${name}`, text, { mode: 0o644 });
    await run(`mount --bind ${folder}/${name} ${realpathSync(`/etc/${name}`)}`);
  }
}

/** Runs a command whose words contain no space. */
async function run(command: string): Promise<void> {
  const [program = '', ...args] = command.trim().split(' ');
  await promisify(execFile)(program, args);
}

function macOf(number: number): string {
  return `02:00:00:00:00:0${number}`;
}
