import { join } from 'node:path';
import { root } from '@acme/dev/repository';

/** Folders in which a client that reads .proto files finds the contract and what it imports. */
export const protoFolders = ['proto', 'packages/rpc/proto'].map((folder) => join(root, folder));
