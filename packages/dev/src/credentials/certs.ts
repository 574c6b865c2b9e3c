import { parseCommandLine } from '../cli/command-line.ts';
import { fail } from '../cli/fail.ts';
import { services } from '../repository/load-services.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { makeDevelopmentCertificates } from './development-certificates.ts';

const usage = 'usage: npx svc certs [--out FOLDER] [--services NAME,NAME]';

const { values } = parseCommandLine({
  usage,
  options: {
    out: { type: 'string', default: `${defaultDataFolder}/certs` },
    services: { type: 'string', default: [...services.map(({ name }) => name), 'client'].join() },
  },
});

try {
  const names = values.services.split(',').filter(Boolean);
  if (names.length === 0) fail(usage);
  const made = await makeDevelopmentCertificates({ folder: values.out, names, now: new Date() });
  process.stdout.write(`${made.join('\n')}\n`);
} catch (error) {
  fail(error);
}
