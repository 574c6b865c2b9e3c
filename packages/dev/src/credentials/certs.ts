import { join } from 'node:path';
import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { list, text } from '../cli/arguments/option.ts';
import { fail } from '../cli/fail.ts';
import { reject } from '../cli/reject.ts';
import { services } from '../repository/load-services.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { makeDevelopmentCertificates } from './development-certificates.ts';

const { values } = parseCommandLine({
  call: 'npx svc certs',
  summary: 'Makes certificates of a development authority, for TLS_MODE=mtls.',
  options: {
    out: text('FOLDER', 'where they are written', join(defaultDataFolder, 'certs')),
    services: list('NAME,NAME', 'whose certificates', [...services.map(({ name }) => name), 'client'].join()),
  },
});

const names = values.services;
if (names.length === 0) reject('--services must name a service');

try {
  const made = await makeDevelopmentCertificates({ folder: values.out, names, now: new Date() });
  process.stdout.write(`${made.join('\n')}\n`);
} catch (error) {
  fail(error);
}
