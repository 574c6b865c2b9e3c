import { isIPv4, isIPv6 } from 'node:net';

/** The form of a listen address. */
export const listenAddressFormat = 'host:port, [ipv6]:port or unix:/path';

/** The form of a gRPC target (https://github.com/grpc/grpc/blob/master/doc/naming.md). */
export const targetFormat = 'a gRPC target: dns:///host:port, host:port, ipv4:1.2.3.4:port or unix:/path';

/** Schemes with a resolver of the application's own. */
const customSchemes = new Set<string>();

/** Makes `targetProblem` accept the targets of a scheme. */
export function allowTargetScheme(scheme: string): void {
  customSchemes.add(scheme);
}

/**
 * Returns the problem with a listen address, or undefined. Port 0 means any free port. grpc-js itself would listen on port
 * 443 if the port is missing.
 */
export function listenAddressProblem(address: string): string | undefined {
  if (/\s/.test(address)) return 'it contains a space';
  if (address.startsWith('unix:')) return socketProblem(address);
  const scheme = schemeOf(address);
  if (scheme !== undefined) return `a server does not listen on ${scheme}:`;
  return hostPortProblem(address, 0);
}

/** Returns the problem with a target, or undefined. grpc-js itself would call port 443 if the port is missing. */
export function targetProblem(target: string): string | undefined {
  if (/\s/.test(target)) return 'it contains a space';
  if (target.startsWith('unix:')) return socketProblem(target);
  const scheme = schemeOf(target);
  if (scheme === undefined) return hostPortProblem(target, 1);
  const path = pathOf(target, scheme);
  if (customSchemes.has(scheme)) return path === '' ? 'the path is missing' : undefined;
  if (scheme === 'dns') return hostPortProblem(path, 1);
  if (scheme !== 'ipv4' && scheme !== 'ipv6') return `${scheme}: is not a scheme of gRPC targets`;
  const isAddress = scheme === 'ipv4' ? isIPv4 : isIPv6;
  return path
    .split(',')
    .map(
      (each) =>
        hostPortProblem(each, 1) ??
        (isAddress(hostOf(each)) ? undefined : `it contains no ${scheme} address`),
    )
    .find((problem) => problem !== undefined);
}

/**
 * Returns `host:port` of a target that is a name: `inventory:50052` for `dns:///inventory:50052`. Undefined for others, also for
 * a name with a DNS server, as in `dns://10.0.0.2/inventory:50052`.
 */
export function dnsNameOf(target: string): string | undefined {
  if (target.startsWith('dns://') && !target.startsWith('dns:///')) return undefined;
  const scheme = schemeOf(target);
  if (targetProblem(target) !== undefined || (scheme !== undefined && scheme !== 'dns')) return undefined;
  const path = scheme === undefined ? target : pathOf(target, scheme);
  const host = hostOf(path);
  return path.startsWith('unix:') || isIPv4(host) || isIPv6(host) ? undefined : path;
}

/** Returns the scheme of `scheme://…`, and of the schemes that gRPC knows; undefined for `host:port`. */
function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):(?=\/)/i.exec(text)?.[1] ?? /^(dns|ipv4|ipv6):(?=[^:]*:|\[)/.exec(text)?.[1];
}

/** Returns a target without its scheme and authority. */
function pathOf(target: string, scheme: string): string {
  return target.slice(scheme.length + 1).replace(/^\/\/[^/]*\//, '');
}

function socketProblem(text: string): string | undefined {
  return /^unix:(\/\/\/?)?$/.test(text) ? 'the path is missing' : undefined;
}

function hostOf(hostPort: string): string {
  return hostPort.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

function hostPortProblem(text: string, minPort: number): string | undefined {
  const parts = /^(?:\[(?<ipv6>[^\]]*)\]|(?<name>[^:]*))(?::(?<port>[^:]*))?$/.exec(text)?.groups;
  if (!parts) return 'an IPv6 address needs brackets: [::1]:50051';
  const { ipv6, name, port } = parts;
  if (ipv6 === undefined ? name === '' : ipv6 === '') return 'the host is missing';
  if (!port) return 'the port is missing';
  if (!/^\d+$/.test(port)) return 'the port is not a number';
  if (Number(port) > 65_535) return 'the port is over 65535';
  if (Number(port) < minPort) return 'port 0 cannot be called';
  if (ipv6 !== undefined) return isIPv6(ipv6) ? undefined : 'the brackets contain no IPv6 address';
  return isHost(name ?? '') ? undefined : 'the host is neither a name nor an address';
}

/** A name of only digits and dots is a mistyped address. */
function isHost(name: string): boolean {
  return /^[\d.]+$/.test(name) ? isIPv4(name) : /^[\w.-]+$/.test(name);
}
