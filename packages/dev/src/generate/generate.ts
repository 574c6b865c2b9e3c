import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../repository/paths.ts';
import { printValidateProto } from './print-validate-proto.ts';

// Writes what is made from something else: protovalidate's .proto from its package, gen/src from the contract.
writeFileSync(join(root, 'proto/buf/validate/validate.proto'), printValidateProto());
const { status } = spawnSync('buf', ['generate'], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
