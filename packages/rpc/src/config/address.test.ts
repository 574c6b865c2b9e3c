import { expect, test } from 'vitest';
import { listenAddressProblem, targetProblem } from './address.ts';

const hostPorts = [
  '127.0.0.1:50051',
  'localhost:443',
  'orders_1.example-host:65535',
  '[::1]:50051',
  '[fe80::1%eth0]:1',
];

test.each([
  ...hostPorts,
  '0.0.0.0:0',
  '[::]:0',
  'unix:/run/echo.sock',
  'unix:echo.sock',
  'unix:///run/o.sock',
])('a server may listen on %s', (address) => {
  expect(listenAddressProblem(address)).toBeUndefined();
});

test.each([
  ...hostPorts,
  'dns:///echo:50052',
  'dns:echo:50052',
  'dns:[::1]:50052',
  'dns://10.0.0.53/echo:50052',
  'ipv4:127.0.0.1:1,127.0.0.2:2',
  'ipv4:///127.0.0.1:1',
  'ipv6:[::1]:1,[::2]:2',
  'unix:/run/echo.sock',
])('a client may call %s', (target) => {
  expect(targetProblem(target)).toBeUndefined();
});

const problems: [string, string][] = [
  ['127.0.0.1', 'the port is missing'],
  ['localhost:', 'the port is missing'],
  ['[::1]', 'the port is missing'],
  ['50051', 'the port is missing'],
  ['localhost:http', 'the port is not a number'],
  ['localhost:-1', 'the port is not a number'],
  ['localhost:1e3', 'the port is not a number'],
  ['localhost:65536', 'the port is over 65535'],
  [':50051', 'the host is missing'],
  ['::1:50051', 'an IPv6 address needs brackets: [::1]:50051'],
  ['[::1:50051', 'an IPv6 address needs brackets: [::1]:50051'],
  ['[127.0.0.1]:50051', 'the brackets contain no IPv6 address'],
  ['256.0.0.1:50051', 'the host is neither a name nor an address'],
  ['127.1:50051', 'the host is neither a name nor an address'],
  ['user@host:50051', 'the host is neither a name nor an address'],
  ['*:50051', 'the host is neither a name nor an address'],
  ['local host:50051', 'it contains a space'],
  ['unix:', 'the path is missing'],
  ['unix://', 'the path is missing'],
  ['unix:///', 'the path is missing'],
];

test.each([
  ...problems,
  ['http://0.0.0.0:50051', 'a server does not listen on http:'],
  ['dns:///localhost:50051', 'a server does not listen on dns:'],
])('a server does not listen on %s: %s', (address, problem) => {
  expect(listenAddressProblem(address)).toBe(problem);
});

test.each([
  ...problems,
  ['http://echo:50052', 'http: is not a scheme of gRPC targets'],
  ['https://echo:50052', 'https: is not a scheme of gRPC targets'],
  ['xds:///echo', 'xds: is not a scheme of gRPC targets'],
  ['tcp://echo:50052', 'tcp: is not a scheme of gRPC targets'],
  ['dns:///echo', 'the port is missing'],
  ['dns:echo', 'the port is not a number'],
  ['dns:///', 'the host is missing'],
  ['echo:0', 'port 0 cannot be called'],
  ['dns:///echo:0', 'port 0 cannot be called'],
  ['ipv4:127.0.0.1:1,127.0.0.2', 'the port is missing'],
  ['ipv4:echo:1', 'it contains no ipv4 address'],
  ['ipv6:127.0.0.1:1', 'it contains no ipv6 address'],
])('a client does not call %s: %s', (target, problem) => {
  expect(targetProblem(target)).toBe(problem);
});
