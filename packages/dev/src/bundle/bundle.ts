import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { fail } from '../cli/fail.ts';
import { bundleService } from './bundle-service.ts';

const {
  positionals: [service, folder],
} = parseCommandLine({
  call: 'npx svc bundle',
  summary: 'Writes what the image of a service contains: its programs in few files, and its migrations.',
  positionals: ['SERVICE', 'FOLDER'],
});

await bundleService(service, folder).catch(fail);
