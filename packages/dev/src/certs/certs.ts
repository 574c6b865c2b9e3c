import { parseArgs } from 'node:util';
import { fail } from '../cli/fail.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { makeDevelopmentCertificates } from './development-certificates.ts';

const usage = 'usage: npm run certs [-- --out FOLDER] [--services orders,inventory]';

try {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: `${defaultDataFolder}/certs` },
      services: { type: 'string', default: 'orders,inventory,client' },
    },
  });
  const names = values.services.split(',').filter(Boolean);
  if (names.length === 0) fail(usage);
  const made = await makeDevelopmentCertificates({ folder: values.out, names, now: new Date() });
  process.stdout.write(`${made.join('\n')}\n`);
} catch (error) {
  fail(error);
}
