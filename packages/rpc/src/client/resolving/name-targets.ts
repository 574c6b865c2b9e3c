import { lookup } from 'node:dns/promises';
import { dnsNameOf } from '../../config/address.ts';
import { addResolver } from './channel-resolver.ts';
import { repeatedLookUps } from './repeated-look-ups.ts';

/** The scheme of names that are looked up repeatedly. grpc-js's resolver of `dns:` keeps serving other clients of the process. */
const scheme = 'repeated-dns';

/** With jitter up to 3 s, which leaves 2 s of 5 to look up, connect and be chosen. */
const intervalMs = 2500;

/**
 * `dns.lookup` is the resolver of the system, with `/etc/hosts` and search domains. It does not return the TTL of an answer,
 * so the interval is the same for all names.
 */
const resolveName = repeatedLookUps({
  lookUp: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  intervalMs,
  random: Math.random,
});

/**
 * Returns the target of the channel for a client's target. A name (`dns:///inventory:50052`, `inventory:50052`) gets a
 * scheme whose resolver looks it up every 2 to 3 s, so that a new replica is found. grpc-js by itself looks a name up only
 * when a connection is lost. Other targets are returned unchanged.
 */
export function channelTarget(target: string): string {
  const name = dnsNameOf(target);
  if (name === undefined) return target;
  addResolver(scheme, resolveName);
  return `${scheme}:///${name}`;
}
